import { fromBinary } from '@bufbuild/protobuf';
import { leNet5, noisyDense } from '@sbp/layers';
import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ModelProtoSchema } from '../../onnx/src/proto/onnx_pb.js';
import { exportOnnx, pruneModel } from './index.js';
import { fill } from './testing/fill.js';
import { onnxDifference } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const kinds = (bytes: Uint8Array) =>
  fromBinary(ModelProtoSchema, bytes).graph!.node.map(({ opType }) => opType);

describe('exportOnnx', () => {
  it('takes the units that pruneModel gathers in one step', async () => {
    const model = leNet5();
    fill(model, 1);
    const { model: pruned } = pruneModel(model, { gather: true });
    const crops = pruned.layers.filter((layer) => layer.getClassName() === 'Cropping2D');
    expect(crops.length).toBeGreaterThan(10);
    const bytes = exportOnnx(pruned);
    expect(await onnxDifference(pruned, bytes)).toBeLessThan(1e-5);
    expect(kinds(bytes).filter((kind) => /Gather|Slice|Concat|Transpose/.test(kind))).toEqual(['Gather']);
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
      /'n' \(NoisyDense\) has noise/,
    ],
  ])('names the layer at fault: %s', (_, make, message) => {
    expect(() => exportOnnx(make())).toThrow(ModelError);
    expect(() => exportOnnx(make())).toThrow(message);
  });
});
