import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from './index.js';
import { fill } from './testing/fill.js';
import { layerCases, shapesOf } from './testing/layer-cases.js';
import { ourCases } from './testing/our-cases.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** `pnpm run onnx-checker` puts it there. */
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const python = join(cache, 'sbp/onnx-checker/bin/python');

/**
 * Checks every file against the standard, types and shapes included: what it infers of the outputs must not contradict what is declared, and sizes may be open only where they
 * are declared so or depend on sizes worked out as the model runs.
 */
const check = `
import sys, onnx
def dims(type):
    return [d.dim_value or None for d in type.tensor_type.shape.dim]
unknown = 0
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    declared = [(o.type.tensor_type.elem_type, dims(o.type)) for o in model.graph.output]
    for output in model.graph.output:
        output.type.tensor_type.ClearField('shape')
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    found = [(o.type.tensor_type.elem_type, dims(o.type)) for o in inferred.graph.output]
    for (kind, sizes), (other, others) in zip(declared, found):
        known = others or [None] * len(sizes)
        unknown += known != sizes
        alike = len(sizes) == len(known) and all(a == b or None in (a, b) for a, b in zip(sizes, known))
        assert kind == other and alike, f'{path} declares {declared}; the standard infers {found}'
print(len(sys.argv) - 1, unknown)
`;

const noChecker = !existsSync(python);
const skipped = noChecker ? " (skipped: Python's onnx is not there; pnpm run onnx-checker installs it)" : '';

describe("Python's official checker", () => {
  it.skipIf(noChecker)(`accepts what exportOnnx writes${skipped}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'onnx-checker-'));
    try {
      const files: string[] = [];
      for (const [name, cases] of Object.entries({ ...layerCases, ...ourCases }))
        fc.sample(cases, { numRuns: 3, seed: 7 }).forEach((one, i) => {
          const { model } = one;
          const inputShapes = shapesOf(one);
          if (!inputShapes) return;
          fill(model, i);
          for (const dtype of ['float32', 'float16', 'int8'] as const) {
            const file = join(folder, `${name}-${i}-${dtype}.onnx`);
            writeFileSync(file, exportOnnx(model, { dtype, inputShapes, fillChannels: 1 }));
            files.push(file);
          }
          model.dispose();
        });
      const output = execFileSync(python, ['-c', check, ...files], { encoding: 'utf8', stdio: 'pipe' });
      const [checked, unknown] = output.trim().split(' ').map(Number);
      expect(checked).toBe(files.length);
      expect(unknown! / files.length).toBeLessThan(0.1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
