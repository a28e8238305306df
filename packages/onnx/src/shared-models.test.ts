import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from './index.js';
import { largestDifference, runOnnx } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Given {
  readonly name: string;
  readonly shape: number[];
  readonly data: number[];
}

const folder = fileURLToPath(new URL('../../../../shared/models/', import.meta.url));
const isThere = existsSync(folder);
const names = isThere
  ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  : ['(skipped: ../shared/models is absent)'];
/** Nothing can be done with Python's own code. */
const closed = ['lambda'];

describe.skipIf(!isThere)('models as people have them give what TensorFlow gave, in ONNX Runtime', () => {
  it.each(names.filter((name) => !closed.includes(name)))('%s', async (name) => {
    const model = await loadModel(`${folder}${name}`);
    const io = `${folder}${name}/io.json`;
    if (!existsSync(io)) {
      expect(exportOnnx(model).length).toBeGreaterThan(0);
      return;
    }
    const { x, y } = JSON.parse(readFileSync(io, 'utf8')) as { x: Given[]; y: Given[] };
    // What is no model yet, as a sequential one before it is used, has no inputs.
    const bytes = exportOnnx(model);
    const inputs = x.map(({ shape, data }, i) => tf.tensor(data, shape, model.inputs[i]!.dtype));
    const feeds = Object.fromEntries(x.map((_, i) => [model.inputNames[i]!, inputs[i]!]));
    const { outputs } = await runOnnx(bytes, feeds);
    outputs.forEach(({ dims, data }, i) => {
      expect(dims).toEqual(y[i]!.shape);
      expect(largestDifference(y[i]!.data.flat(9) as number[], data)).toBeLessThan(1e-4);
    });
    tf.dispose(inputs);
    model.dispose();
  });
});
