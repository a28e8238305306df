import { leNet5, noisyDense } from '@sbp/layers';
import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx, pruneModel } from './index.js';
import { fill } from './testing/fill.js';
import { onnxDifference } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Of some operations, those that a file has, once for each node: op_type is field 4 of a NodeProto, a tag, its length and the text. */
function kinds(bytes: Uint8Array, among: string[]): string[] {
  const text = Buffer.from(bytes).toString('latin1');
  return among.flatMap((kind) =>
    Array(text.split(`\x22${String.fromCharCode(kind.length)}${kind}`).length - 1).fill(kind),
  );
}

describe('exportOnnx', () => {
  it('takes the units that pruneModel gathers in one step', async () => {
    const model = leNet5();
    fill(model, 1);
    const { model: pruned } = pruneModel(model, { gather: true });
    const crops = pruned.layers.filter((layer) => layer.getClassName() === 'Cropping2D');
    expect(crops.length).toBeGreaterThan(10);
    const bytes = exportOnnx(pruned);
    expect(await onnxDifference(pruned, bytes)).toBeLessThan(1e-5);
    expect(kinds(bytes, ['Gemm', 'Conv'])).toHaveLength(4);
    expect(kinds(bytes, ['Gather', 'Slice', 'Concat', 'Transpose'])).toEqual(['Gather']);
  });

  it.each<[string, () => tf.LayersModel, RegExp]>([
    [
      'noise',
      () => leNet5(),
      /'conv1' \(NoisyConv2D\) has noise; give exportOnnx what pruneModel or foldNoise/,
    ],
    [
      'noise in a nested model',
      () =>
        tf.sequential({
          layers: [tf.sequential({ layers: [noisyDense({ units: 2, name: 'n', inputShape: [3] })] })],
        }),
      /'[^']*\/n' \(NoisyDense\) has noise/,
    ],
  ])('names the layer at fault: %s', (_, make, message) => {
    expect(() => exportOnnx(make())).toThrow(ModelError);
    expect(() => exportOnnx(make())).toThrow(message);
  });
});
