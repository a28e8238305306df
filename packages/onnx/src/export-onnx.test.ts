import { fromBinary } from '@bufbuild/protobuf';
import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from './index.js';
import { ModelProtoSchema } from './proto/onnx_pb.js';
import { fill } from './testing/fill.js';
import { onnxDifference, runOnnx } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Symbol = tf.SymbolicTensor;
const through = (x: Symbol | Symbol[], ...layers: tf.layers.Layer[]) =>
  layers.reduce((value, layer) => layer.apply(value) as Symbol, x as Symbol);
const { layers } = tf;
const conv = (filters = 3, padding: 'same' | 'valid' = 'same') =>
  layers.conv2d({ filters, kernelSize: 3, padding, activation: 'relu' });

/** A model whose outputs are what each of the given functions makes of its input. */
function fan(inputShape: number[], makes: ((x: Symbol) => Symbol)[]): tf.LayersModel {
  const x = tf.input({ shape: inputShape });
  return tf.model({ inputs: x, outputs: makes.map((make) => make(x)) });
}

async function expectSame(model: tf.LayersModel, examples = 3): Promise<Uint8Array> {
  fill(model, 3);
  const bytes = exportOnnx(model);
  expect(await onnxDifference(model, bytes, { seed: 5, examples })).toBeLessThan(1e-5);
  return bytes;
}

const nodes = (bytes: Uint8Array) => fromBinary(ModelProtoSchema, bytes).graph!.node;
const kinds = (bytes: Uint8Array) => nodes(bytes).map(({ opType }) => opType);

describe('exportOnnx', () => {
  it('pads and strides as TensorFlow does, whatever the window', async () => {
    const windows = [1, 2, 3].flatMap((stride) =>
      [1, 2, 3, 4].flatMap((size) =>
        (['same', 'valid'] as const).map((padding) => ({
          kernelSize: [size, 5 - size] as [number, number],
          poolSize: [size, 5 - size] as [number, number],
          strides: [stride, (stride % 3) + 1] as [number, number],
          padding,
        })),
      ),
    );
    const dilated = [2, 3].flatMap((dilationRate) =>
      (['same', 'valid'] as const).map((padding) => ({ kernelSize: 2, dilationRate, padding })),
    );
    await expectSame(
      fan(
        [7, 8, 2],
        [
          ...windows.flatMap((window) => [
            layers.conv2d({ ...window, filters: 2 }),
            layers.maxPooling2d(window),
            layers.averagePooling2d(window),
          ]),
          ...dilated.flatMap((window) => [
            layers.conv2d({ ...window, filters: 2 }),
            layers.depthwiseConv2d({ ...window, depthMultiplier: 2 }),
            layers.separableConv2d({ ...window, filters: 3, depthMultiplier: 2 }),
          ]),
          // tfjs strides depthwise convolutions alike in both directions.
          ...[1, 2, 3].flatMap((strides) => [
            layers.depthwiseConv2d({ kernelSize: 3, strides, padding: 'same', activation: 'tanh' }),
            layers.separableConv2d({
              filters: 3,
              kernelSize: [2, 3],
              strides,
              padding: 'same',
              useBias: false,
            }),
            layers.separableConv2d({ filters: 3, kernelSize: 3, strides, activation: 'relu' }),
          ]),
        ].map((layer) => (x: Symbol) => through(x, layer)),
      ),
    );
  });

  const activations =
    'linear relu relu6 sigmoid hardSigmoid tanh elu selu softplus softsign swish mish gelu gelu_new softmax logSoftmax'.split(
      ' ',
    );
  it.each([
    ['on images', [3, 4, 2], (x: Symbol) => x],
    ['on images behind a convolution', [3, 4, 2], (x: Symbol) => through(x, conv())],
    ['on vectors', [9], (x: Symbol) => x],
    ['on vectors out of order', [3, 4, 2], (x: Symbol) => through(x, conv(), layers.flatten())],
  ])('knows every activation of tfjs, %s', async (_, shape, before) => {
    const x = tf.input({ shape });
    const y = through(before(x), layers.rescaling({ scale: 4, offset: 0.5 }));
    const after = [
      ...activations.map((activation) => layers.activation({ activation: activation as 'relu' })),
      layers.reLU(),
      layers.reLU({ maxValue: 0.7 }),
      layers.leakyReLU({ alpha: 0.1 }),
      layers.elu(),
      layers.thresholdedReLU({ theta: 0.4 }),
      layers.prelu(),
      layers.softmax({ axis: -1 }),
    ];
    await expectSame(tf.model({ inputs: x, outputs: after.map((layer) => through(y, layer)) }));
  });

  it('follows branches, joins, nested models and layers used twice', async () => {
    const image = tf.input({ shape: [6, 5, 2], name: 'image' });
    const vector = tf.input({ shape: [4], name: 'vector' });
    const nested = tf.sequential({ layers: [layers.inputLayer({ inputShape: [6, 5, 3] }), conv(), conv(2)] });
    const twice = conv(3);
    const a = through(image, conv(3));
    const b = through(image, layers.conv2d({ filters: 3, kernelSize: 1 }), twice);
    const flat = (x: Symbol) => through(x, layers.flatten());
    const outputs = [
      ...[layers.add(), layers.multiply(), layers.average(), layers.maximum(), layers.minimum()].map((join) =>
        through([a, b], join),
      ),
      through([image, through(a, nested)], layers.add({ name: 'of_two_layouts' })),
      ...[1, 2, 3, -1].map((axis) => through([a, b], layers.concatenate({ axis }))),
      through([image, image], layers.concatenate({ axis: 2 })),
      through([flat(a), vector, flat(image)], layers.concatenate(), layers.dense({ units: 3 })),
      through([flat(a), flat(b)], layers.add(), layers.dense({ units: 3 })),
      through([flat(a), flat(image)], layers.concatenate()),
      through(b, twice),
      a,
      vector,
    ];
    const bytes = await expectSame(tf.model({ inputs: [image, vector], outputs }));
    // The image comes in channels last, and is put channels first but once.
    const readers = nodes(bytes).filter(
      ({ input, opType }) => input.includes('image') && opType === 'Transpose',
    );
    expect(readers).toHaveLength(1);
  });

  it('opens models that begin with a model', async () => {
    const inner = tf.sequential({ layers: [layers.inputLayer({ inputShape: [6, 5, 2] }), conv(), conv(2)] });
    await expectSame(tf.sequential({ layers: [inner, layers.flatten(), layers.dense({ units: 3 })] }));
  });

  it('keeps track of an order through everything that may read a flattened image', async () => {
    const y = (x: Symbol) => through(x, conv(), layers.flatten());
    const ends: tf.layers.Layer[][] = [
      [],
      [layers.batchNormalization(), layers.dense({ units: 3, activation: 'sigmoid' })],
      [layers.batchNormalization({ scale: false, center: false })],
      [layers.prelu(), layers.dropout({ rate: 0.5 }), layers.dense({ units: 2, useBias: false })],
      [layers.layerNormalization(), layers.softmax({ axis: -1 })],
      [layers.reshape({ targetShape: [2, -1, 5] }), conv()],
      [layers.reshape({ targetShape: [6, 15] }), layers.dense({ units: 2 })],
      [layers.reshape({ targetShape: [6, 15] }), layers.batchNormalization(), layers.layerNormalization()],
      [
        layers.reshape({ targetShape: [90, 1, 1] }),
        layers.cropping2D({
          cropping: [
            [3, 2],
            [0, 0],
          ],
        }),
      ],
      [layers.reshape({ targetShape: [90, 1, 1] }), layers.globalMaxPooling2d({})],
      [layers.reshape({ targetShape: [6, 15] }), layers.permute({ dims: [2, 1] })],
    ];
    await expectSame(
      fan(
        [6, 5, 2],
        ends.map((end) => (x) => through(y(x), ...end)),
      ),
    );
    // One channel, or one pixel, is in order as it is.
    await expectSame(fan([6, 5, 2], [(x) => through(x, conv(1), layers.flatten())]));
    const pixel = fan(
      [3, 3, 2],
      [(x) => through(x, conv(4, 'valid'), layers.flatten(), layers.softmax({ axis: 1 }))],
    );
    expect(kinds(await expectSame(pixel))).not.toContain('Gather');
  });

  it('takes a vector as an image, and crops and upsamples either way', async () => {
    const ends: tf.layers.Layer[][] = [
      [
        layers.cropping2D({
          cropping: [
            [1, 2],
            [0, 1],
          ],
        }),
      ],
      [
        layers.cropping2D({
          cropping: [
            [1, 2],
            [0, 1],
          ],
        }),
        conv(),
      ],
      [
        conv(),
        layers.cropping2D({
          cropping: [
            [0, 1],
            [2, 0],
          ],
        }),
      ],
      [layers.upSampling2d({ size: [3, 2] })],
      [conv(), layers.upSampling2d({ size: [3, 2], interpolation: 'bilinear' })],
      [
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 3],
          ],
        }),
      ],
      [layers.globalAveragePooling2d({}), layers.dense({ units: 3 })],
    ];
    const all = ends.map(
      (end) => (x: Symbol) => through(x, layers.reshape({ targetShape: [6, 5, 2] }), ...end),
    );
    await expectSame(fan([60], all));
  });

  it('moves nothing at run time but an input of several channels', async () => {
    const leNet = (channels: number) =>
      tf.sequential({
        layers: [
          layers.conv2d({ filters: 4, kernelSize: 5, activation: 'relu', inputShape: [28, 28, channels] }),
          layers.maxPooling2d({}),
          layers.flatten(),
          layers.dense({ units: 9, activation: 'relu' }),
          layers.dense({ units: 5, activation: 'softmax' }),
        ],
      });
    const after = ['Conv', 'Relu', 'MaxPool', 'Reshape', 'Gemm', 'Relu', 'Gemm', 'Softmax'];
    expect(kinds(await expectSame(leNet(1)))).toEqual(['Reshape', ...after]);
    expect(kinds(await expectSame(leNet(3)))).toEqual(['Transpose', ...after]);
  });

  it('keeps the names of inputs and outputs, and runs any batch', async () => {
    const x = tf.input({ shape: [4], name: 'measurements' });
    const y = through(x, layers.dense({ units: 2, name: 'verdict' }));
    const model = tf.model({ inputs: x, outputs: [y, x, y] });
    const bytes = exportOnnx(model);
    for (const batch of [1, 7]) {
      const measurements = tf.randomUniform([batch, 4]);
      const { names, outputs } = await runOnnx(bytes, { measurements });
      expect(names).toEqual(['verdict', 'measurements_2', 'verdict_2']);
      expect(outputs.map(({ dims }) => dims)).toEqual([
        [batch, 2],
        [batch, 4],
        [batch, 2],
      ]);
    }
  });

  class Stranger extends tf.layers.Layer {
    static className = 'Stranger';
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return inputs;
    }
  }
  class Odd extends tf.serialization.Serializable {
    static className = 'Odd';
    getConfig() {
      return {};
    }
    apply = (x: tf.Tensor) => x;
  }
  const single = (layer: tf.layers.Layer) => () => tf.sequential({ layers: [layer] });
  const pairOf = (shapes: number[][], join: tf.layers.Layer) => () => {
    const inputs = shapes.map((shape) => tf.input({ shape }));
    return tf.model({ inputs, outputs: through(inputs, join) });
  };
  it.each<[string, () => tf.LayersModel, RegExp]>([
    [
      'a layer of nobody',
      single(new Stranger({ name: 'l', inputShape: [3] })),
      /'l' \(Stranger\) is not a layer that exportOnnx knows$/,
    ],
    [
      'an activation of nobody',
      single(
        Object.assign(layers.activation({ activation: 'relu', name: 'a', inputShape: [3] }), {
          activation: new Odd(),
        }),
      ),
      /'a' \(Activation\) has the activation 'Odd', which exportOnnx does not know$/,
    ],
    [
      'a crop of tfjs',
      single(layers.centerCrop({ height: 2, width: 2, name: 'r', inputShape: [4, 4, 2] })),
      /'r' \(CenterCrop\) is not cut at whole pixels by tfjs/,
    ],
    [
      'a softmax over the batch',
      single(layers.softmax({ name: 's', axis: 0, inputShape: [3] })),
      /'s' \(Softmax\) normalises over the batch/,
    ],
    [
      'a state that is kept',
      single(layers.lstm({ units: 2, stateful: true, name: 'l', batchInputShape: [1, 3, 2] })),
      /'l' \(LSTM\) keeps its state from one call to the next/,
    ],
    [
      'inputs of words',
      () => {
        const x = tf.input({ shape: [3], dtype: 'string', name: 'words' });
        return tf.model({ inputs: x, outputs: through(x, layers.activation({ activation: 'relu' })) });
      },
      /'words' is of type string; exportOnnx expects float32 or int32/,
    ],
    [
      'joined batches',
      pairOf([[3], [3]], layers.concatenate({ axis: 0, name: 'j' })),
      /'j' \(Concatenate\) joins along the batch/,
    ],
    ['no shapes', () => tf.sequential({ layers: [] }), /has no shapes yet/],
  ])('names the layer at fault: %s', (_, make, message) => {
    expect(() => exportOnnx(make())).toThrow(ModelError);
    expect(() => exportOnnx(make())).toThrow(message);
  });
});
