import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { leNet5, vggLike } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx, foldNoise, pruneModel } from './index.js';
import { buildChain, chainSpecs } from './testing/chains.js';
import { fill } from './testing/fill.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** `pnpm run onnx-checker` puts it there. */
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const python = join(cache, 'sbp/onnx-checker/bin/python');

/** Checks every file against the standard, types and shapes included, and prints what differs from the declared outputs. */
const check = `
import sys, onnx
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    declared = [onnx.helper.printable_type(o.type) for o in model.graph.output]
    for output in model.graph.output:
        output.type.tensor_type.ClearField('shape')
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    found = [onnx.helper.printable_type(o.type) for o in inferred.graph.output]
    assert declared == found, f'{path} declares {declared}; the standard infers {found}'
print(len(sys.argv) - 1)
`;

const noChecker = !existsSync(python);
const skipped = noChecker ? " (skipped: Python's onnx is not there; pnpm run onnx-checker installs it)" : '';

describe("Python's official checker", () => {
  it.skipIf(noChecker)(`accepts what exportOnnx writes${skipped}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'prune-onnx-'));
    try {
      const models = [
        leNet5(),
        vggLike({ scale: 0.05 }),
        ...fc.sample(chainSpecs, { numRuns: 30, seed: 7 }).map(buildChain),
      ];
      const files = models.flatMap((model, i) => {
        fill(model, i);
        const stock = [foldNoise(model), pruneModel(model, { gather: true }).model];
        return stock.map((each, j) => {
          const file = join(folder, `${i}-${j}.onnx`);
          writeFileSync(file, exportOnnx(each));
          return file;
        });
      });
      const output = execFileSync(python, ['-c', check, ...files], { encoding: 'utf8', stdio: 'pipe' });
      expect(Number(output)).toBe(files.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
