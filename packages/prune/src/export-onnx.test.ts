import { fromBinary } from '@bufbuild/protobuf';
import { leNet5, noisyDense } from '@sbp/layers';
import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
// Until channels are filled up in @sbp/onnx itself.
import { ModelProtoSchema } from '../../onnx/src/proto/onnx_pb.js';
import { exportOnnx, pruneModel } from './index.js';
import { fill } from './testing/fill.js';
import { onnxDifference } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Symbol = tf.SymbolicTensor;
const through = (x: Symbol, ...layers: tf.layers.Layer[]) =>
  layers.reduce((value, layer) => layer.apply(value) as Symbol, x);
const { layers } = tf;
const conv = (filters: number) =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' });

async function expectSame(model: tf.LayersModel): Promise<Uint8Array> {
  fill(model, 3);
  const bytes = exportOnnx(model);
  expect(await onnxDifference(model, bytes, 5)).toBeLessThan(1e-5);
  return bytes;
}

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

  it('fills 24 channels or more up to a multiple of four where what reads them can be given zeros', async () => {
    const widths = (bytes: Uint8Array) =>
      fromBinary(ModelProtoSchema, bytes)
        .graph!.initializer.filter(({ name }) => /kernel$/.test(name))
        .map(({ dims }) => dims.map(Number));
    const sigmoid = { filters: 30, kernelSize: 1, activation: 'sigmoid' as const };
    const stack = [
      conv(25),
      layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, activation: 'softplus' }),
      layers.batchNormalization(),
      layers.conv2d(sigmoid),
      conv(23),
      layers.prelu(),
      conv(31),
      layers.averagePooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 27 }),
    ];
    const x = tf.input({ shape: [6, 6, 2] });
    const y = through(x, ...stack);
    const shapes = [
      [28, 2, 3, 3],
      [56, 1, 2, 2],
      [32, 56, 1, 1],
      [23, 32, 3, 3],
      [32, 23, 3, 3],
      [32 * 2 * 2, 27],
    ];
    const path = tf.model({ inputs: x, outputs: y });
    expect(widths(await expectSame(path))).toEqual(shapes);
    expect(path.layers[1]!.outputShape).toEqual([null, 6, 6, 25]);
    const branches = tf.model({ inputs: x, outputs: [y, stack[0]!.output as Symbol] });
    expect(widths(await expectSame(branches))[0]).toEqual([25, 2, 3, 3]);
    // here somebody else sees the channels
    const output = await expectSame(
      tf.sequential({ layers: [layers.conv2d({ ...sigmoid, inputShape: [3, 3, 2] })] }),
    );
    expect(widths(output)).toEqual([[30, 2, 1, 1]]);
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
