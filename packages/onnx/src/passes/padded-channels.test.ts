import { fromBinary } from '@bufbuild/protobuf';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from '../index.js';
import { ModelProtoSchema } from '../proto/onnx_pb.js';
import { fill } from '../testing/fill.js';
import { onnxDifference } from '../testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;
type Symbol = tf.SymbolicTensor;
const through = (x: Symbol | Symbol[], ...all: tf.layers.Layer[]) =>
  all.reduce((value, layer) => layer.apply(value) as Symbol, x as Symbol);
const conv = (filters: number, kernelSize = 3) =>
  layers.conv2d({ filters, kernelSize, padding: 'same', activation: 'relu' });

/** Shapes of the kernels that the file holds. */
function widths(bytes: Uint8Array): number[][] {
  const { initializer } = fromBinary(ModelProtoSchema, bytes).graph!;
  return initializer
    .filter(({ name }) => /kernel(\/filled(_\d+)?)?$/.test(name))
    .map(({ dims }) => dims.map(Number));
}

async function expectSame(model: tf.LayersModel): Promise<number[][]> {
  fill(model, 3);
  const bytes = exportOnnx(model);
  expect(await onnxDifference(model, bytes, { seed: 5 })).toBeLessThan(1e-5);
  expect(await onnxDifference(model, exportOnnx(model, { fillChannels: false }))).toBeLessThan(1e-5);
  return widths(bytes);
}

describe('channels filled up to fours', () => {
  it('are those of 24 and more where what reads them can be given zeros', async () => {
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
    const path = tf.model({ inputs: x, outputs: y });
    const found = (await expectSame(path)).sort((a, b) => a[0]! - b[0]!);
    const expected = [
      [28, 2, 3, 3],
      [56, 1, 2, 2],
      [32, 56, 1, 1],
      [23, 32, 3, 3],
      [32, 23, 3, 3],
      [32 * 2 * 2, 27],
    ];
    expect(found).toEqual(expected.sort((a, b) => a[0]! - b[0]!));
    expect(path.layers[1]!.outputShape).toEqual([null, 6, 6, 25]);
    const branches = tf.model({ inputs: x, outputs: [y, stack[0]!.output as Symbol] });
    expect(await expectSame(branches)).toContainEqual([25, 2, 3, 3]);
    // here somebody else sees the channels
    const output = tf.sequential({ layers: [layers.conv2d({ ...sigmoid, inputShape: [3, 3, 2] })] });
    expect(await expectSame(output)).toEqual([[30, 2, 1, 1]]);
  });

  it('go through residual streams, squeeze and excitation, and concatenation', async () => {
    const x = tf.input({ shape: [6, 6, 3] });
    const stream = through(x, conv(26), layers.batchNormalization());
    const squeezed = through(
      stream,
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 5, activation: 'relu' }),
      layers.dense({ units: 26, activation: 'sigmoid' }),
      layers.reshape({ targetShape: [1, 1, 26] }),
    );
    const excited = through([stream, squeezed], layers.multiply());
    const sum = through([stream, through(excited, conv(26))], layers.add());
    const both = through([sum, through(sum, conv(29, 1))], layers.concatenate());
    const again = through([both, through(both, conv(55, 1))], layers.add(), layers.batchNormalization());
    const y = through(again, conv(24), layers.flatten(), layers.dense({ units: 3 }));
    const kernels = await expectSame(tf.model({ inputs: x, outputs: y }));
    expect(kernels).toEqual(
      expect.arrayContaining([
        [28, 3, 3, 3],
        [28, 28, 3, 3],
        // of the dense layers in the excitation
        [28, 5],
        [5, 28],
        [32, 28, 1, 1],
        [60, 60, 1, 1],
        [24, 60, 3, 3],
      ]),
    );
  });

  it('stay as they are where something mixes them', async () => {
    const x = tf.input({ shape: [6, 6, 3] });
    const ends = [
      layers.activation({ activation: 'softmax' }),
      layers.layerNormalization(),
      layers.permute({ dims: [3, 1, 2] }),
      layers.reshape({ targetShape: [6, 2, 78] }),
    ];
    for (const end of ends) {
      const kernels = await expectSame(tf.model({ inputs: x, outputs: through(x, conv(26), end) }));
      expect(kernels).toEqual([[26, 3, 3, 3]]);
    }
  });

  it('are exact in random graphs', async () => {
    const pick = fc.array(
      fc.record({ kind: fc.nat(9), at: fc.nat(20), width: fc.integer({ min: 1, max: 9 }) }),
      {
        minLength: 4,
        maxLength: 14,
      },
    );
    let filled = 0;
    await fc.assert(
      fc.asyncProperty(pick, fc.nat(1e6), async (steps, seed) => {
        const x = tf.input({ shape: [4, 4, 3] });
        const values: Symbol[] = [x, through(x, conv(steps[0]!.width, 1))];
        for (const { kind, at, width } of steps) {
          const from = values[at % values.length]!;
          const alike = values.filter((other) => other !== from && other.shape.at(-1) === from.shape.at(-1));
          const other = alike[at % Math.max(alike.length, 1)] ?? from;
          const gate = () =>
            through(
              from,
              layers.globalMaxPooling2d({}),
              layers.dense({ units: from.shape.at(-1)!, activation: 'sigmoid' }),
              layers.reshape({ targetShape: [1, 1, from.shape.at(-1)!] }),
            );
          const make = [
            () => through(from, conv(width, 1)),
            () => through(from, conv(width)),
            () =>
              through(
                from,
                layers.depthwiseConv2d({ kernelSize: 2, padding: 'same', depthMultiplier: 1 + (width % 2) }),
              ),
            () => through(from, layers.batchNormalization()),
            () => through([from, other], layers.add()),
            () => through([from, other], layers.multiply()),
            () => through([from, values[width % values.length]!], layers.concatenate()),
            () => through([from, gate()], layers.multiply()),
            () => through(from, layers.prelu({ sharedAxes: [1, 2] } as never)),
            () => through(from, layers.upSampling2d({}), layers.maxPooling2d({})),
          ];
          values.push(make[kind]!());
        }
        const last = values.at(-1)!;
        const y = through(last, layers.flatten(), layers.dense({ units: 3 }));
        const sides = values.slice(2, 3).map((value) => through(value, layers.globalAveragePooling2d({})));
        const model = tf.model({ inputs: x, outputs: seed % 2 ? [y] : [y, ...sides] });
        fill(model, seed);
        const plain = widths(exportOnnx(model));
        const bytes = exportOnnx(model, { fillChannels: 1 });
        if (String(widths(bytes)) !== String(plain)) filled++;
        expect(await onnxDifference(model, bytes, { seed })).toBeLessThan(1e-5);
        model.dispose();
      }),
      { numRuns: 60, seed: 20171 },
    );
    expect(filled).toBeGreaterThan(20);
  });
});
