import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { countFlops, layerMacs, ModelError, registerMacs } from '../index.js';

type Layer = tf.layers.Layer;

/** Multiply-accumulates of a model of layers in a row. */
const macsOf = (...layers: Layer[]) => countFlops(tf.sequential({ layers })).macs;
/** A layer of ours that tfjs lacks. */
function own(className: string, config: object): Layer {
  const [type] = tf.serialization.SerializationMap.getMap().classNameMap[className]!;
  return new (type as unknown as new (config: object) => Layer)(config);
}
const dense = (units: number, name?: string) => tf.layers.dense({ units, name });

describe('countFlops', () => {
  const rows: [string, number, () => number][] = [
    ['dense', 6 * 4, () => macsOf(tf.layers.dense({ units: 4, inputShape: [6] }))],
    ['dense on rank 4', 5 * 7 * 6 * 4, () => macsOf(tf.layers.dense({ units: 4, inputShape: [5, 7, 6] }))],
    [
      'conv1d, strided',
      5 * 3 * 4 * 8,
      () => macsOf(tf.layers.conv1d({ filters: 8, kernelSize: 3, strides: 2, inputShape: [11, 4] })),
    ],
    [
      'conv1d, dilated',
      7 * 3 * 4 * 8,
      () =>
        macsOf(
          tf.layers.conv1d({
            filters: 8,
            kernelSize: 3,
            padding: 'causal',
            dilationRate: 2,
            inputShape: [11, 4],
          }),
        ),
    ],
    [
      'conv2d with channels first',
      4 * 5 * 9 * 3 * 8,
      () =>
        macsOf(
          tf.layers.conv2d({ filters: 8, kernelSize: 3, dataFormat: 'channelsFirst', inputShape: [3, 6, 7] }),
        ),
    ],
    [
      'conv3d',
      4 * 5 * 6 * 27 * 2 * 8,
      () => macsOf(tf.layers.conv3d({ filters: 8, kernelSize: 3, inputShape: [6, 7, 8, 2] })),
    ],
    [
      'conv3d, channels first, same',
      3 * 4 * 4 * 8 * 2 * 5,
      () =>
        macsOf(
          tf.layers.conv3d({
            filters: 5,
            kernelSize: 2,
            strides: 2,
            padding: 'same',
            dataFormat: 'channelsFirst',
            inputShape: [2, 6, 7, 8],
          } as never),
        ),
    ],
    [
      'transposed 2d: every input pixel spreads the kernel',
      6 * 7 * 9 * 3 * 8,
      () =>
        macsOf(
          tf.layers.conv2dTranspose({
            filters: 8,
            kernelSize: 3,
            strides: 2,
            padding: 'same',
            inputShape: [6, 7, 3],
          }),
        ),
    ],
    [
      'transposed 2d, valid, channels first',
      6 * 7 * 9 * 3 * 8,
      () =>
        macsOf(
          tf.layers.conv2dTranspose({
            filters: 8,
            kernelSize: 3,
            dataFormat: 'channelsFirst',
            inputShape: [3, 6, 7],
          }),
        ),
    ],
    [
      'transposed 3d',
      4 * 5 * 6 * 8 * 2 * 3,
      () =>
        macsOf(
          tf.layers.conv3dTranspose({ filters: 3, kernelSize: 2, strides: 2, inputShape: [4, 5, 6, 2] }),
        ),
    ],
    [
      'depthwise',
      3 * 3 * 9 * 4 * 2,
      () =>
        macsOf(
          tf.layers.depthwiseConv2d({ kernelSize: 3, strides: 2, depthMultiplier: 2, inputShape: [7, 7, 4] }),
        ),
    ],
    [
      'separable',
      5 * 5 * (9 * 4 * 2 + 8 * 16),
      () =>
        macsOf(
          tf.layers.separableConv2d({
            filters: 16,
            kernelSize: 3,
            depthMultiplier: 2,
            inputShape: [7, 7, 4],
          }),
        ),
    ],
    [
      'a convolution at each step',
      5 * 14 * 14 * 9 * 3 * 8,
      () =>
        macsOf(
          tf.layers.timeDistributed({
            layer: tf.layers.conv2d({ filters: 8, kernelSize: 3 }),
            inputShape: [5, 16, 16, 3],
          } as never),
        ),
    ],
    [
      'a model at each step',
      5 * (6 * 4 + 4 * 3),
      () => {
        const layer = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [6] }), dense(3)] });
        return macsOf(tf.layers.timeDistributed({ layer, inputShape: [5, 6] } as never));
      },
    ],
    ['simple RNN', 9 * (6 * 4 + 4 * 4), () => macsOf(tf.layers.simpleRNN({ units: 4, inputShape: [9, 6] }))],
    [
      'GRU',
      9 * 3 * (6 * 4 + 4 * 4),
      () => macsOf(tf.layers.gru({ units: 4, returnSequences: true, inputShape: [9, 6] })),
    ],
    ['LSTM', 9 * 4 * (6 * 4 + 4 * 4), () => macsOf(tf.layers.lstm({ units: 4, inputShape: [9, 6] }))],
    [
      'LSTM both ways, then dense on the steps',
      2 * 9 * 4 * (6 * 4 + 4 * 4) + 9 * 8 * 2,
      () =>
        macsOf(
          tf.layers.bidirectional({
            layer: tf.layers.lstm({ units: 4, returnSequences: true }) as never,
            mergeMode: 'concat',
            inputShape: [9, 6],
          } as never),
          dense(2),
        ),
    ],
    [
      'cells on one another',
      9 * (4 * (6 * 4 + 4 * 4) + 3 * (4 * 2 + 2 * 2)),
      () =>
        macsOf(
          tf.layers.rnn({
            cell: [tf.layers.lstmCell({ units: 4 }), tf.layers.gruCell({ units: 2 })] as never,
            inputShape: [9, 6],
          } as never),
        ),
    ],
    ...([true, false] as const).map((returnSequences): [string, number, () => number] => [
      `convolutional LSTM, ${returnSequences ? 'all steps' : 'the last step'}`,
      5 * (6 * 6 * 4 * (9 * 3 * 2 + 9 * 2 * 2)),
      () =>
        macsOf(
          tf.layers.convLstm2d({
            filters: 2,
            kernelSize: 3,
            returnSequences,
            inputShape: [5, 8, 8, 3],
          } as never),
        ),
    ]),
    [
      'convolutional LSTM, channels first',
      5 * (8 * 8 * 4 * (9 * 3 * 2 + 9 * 2 * 2)),
      () =>
        macsOf(
          tf.layers.convLstm2d({
            filters: 2,
            kernelSize: 3,
            padding: 'same',
            dataFormat: 'channelsFirst',
            inputShape: [5, 3, 8, 8],
          } as never),
        ),
    ],
  ];
  rows.push(
    [
      'convolutions in groups: a filter reads its group alone',
      4 * 5 * 9 * 2 * 9 + 2 * 3 * 9 * 3 * 6,
      () =>
        macsOf(
          own('GeneralConv2D', { filters: 9, kernelSize: 3, groups: 3, inputShape: [6, 7, 6] }),
          own('GeneralConv2D', { filters: 6, kernelSize: 3, groups: 3 }),
        ),
    ],
    [
      'GRU that resets after the product',
      9 * 3 * (6 * 4 + 4 * 4),
      () => macsOf(own('GeneralGRU', { units: 4, inputShape: [9, 6] })),
    ],
    [
      'transposed 2d with output padding',
      6 * 7 * 9 * 3 * 8,
      () =>
        macsOf(
          own('GeneralConv2DTranspose', {
            filters: 8,
            kernelSize: 3,
            strides: 2,
            outputPadding: [1, 1],
            inputShape: [6, 7, 3],
          }),
        ),
    ],
    [
      'depthwise, dilated',
      3 * 3 * 9 * 4,
      () => macsOf(own('GeneralDepthwiseConv2D', { kernelSize: 3, dilationRate: 2, inputShape: [7, 7, 4] })),
    ],
  );
  it.each(rows)('%s', (_, byHand, count) => {
    expect(count()).toBe(byHand);
  });

  it('products of tensors: attention, and dot of vectors', () => {
    const [q, k, v] = ['q', 'k', 'v'].map((name) => tf.input({ shape: [name === 'q' ? 7 : 9, 6], name }));
    const scores = tf.layers.dot({ axes: [2, 2], name: 'scores' }).apply([q!, k!]) as tf.SymbolicTensor;
    const weights = tf.layers.softmax().apply(scores) as tf.SymbolicTensor;
    const mixed = tf.layers.dot({ axes: [2, 1], name: 'mixed' }).apply([weights, v!]) as tf.SymbolicTensor;
    const { layers } = countFlops(tf.model({ inputs: [q!, k!, v!], outputs: mixed }));
    expect(Object.fromEntries(layers.map(({ name, macs }) => [name, macs]))).toMatchObject({
      scores: 7 * 9 * 6,
      mixed: 7 * 6 * 9,
    });
    const [a, b] = ['a', 'b'].map((name) => tf.input({ shape: [6], name }));
    const cosine = tf.layers.dot({ axes: -1, normalize: true }).apply([a!, b!]) as tf.SymbolicTensor;
    expect(countFlops(tf.model({ inputs: [a!, b!], outputs: cosine })).macs).toBe(6);
  });

  it('a shared layer works for each use, at the size of each, and has its weights once', () => {
    const conv = tf.layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, padding: 'same' });
    const x = tf.input({ shape: [8, 8, 3] });
    const large = conv.apply(x) as tf.SymbolicTensor;
    const half = tf.layers.averagePooling2d({ name: 'half', poolSize: 2 }).apply(large) as tf.SymbolicTensor;
    const small = conv.apply(half) as tf.SymbolicTensor;
    const counted = countFlops(tf.model({ inputs: x, outputs: [small, large] }));
    const macs = (64 + 16) * 81;
    expect(counted).toEqual({
      macs,
      params: 84,
      layers: [
        { name: 'conv', macs, params: 84 },
        { name: 'half', macs: 0, params: 0 },
      ],
    });
    expect(layerMacs(conv)).toBe(macs);
  });

  it('layers of nested models by their own names, and by their paths where two share one', () => {
    const part = (name: string, shape: number[]) =>
      tf.sequential({
        name,
        layers: [tf.layers.dense({ name: 'dense', units: 4, inputShape: shape }), dense(4, `${name}_out`)],
      });
    const model = tf.sequential({ layers: [part('stem', [3]), part('head', [4])] });
    expect(countFlops(model).layers.map(({ name, macs }) => [name, macs])).toEqual([
      ['stem/dense', 12],
      ['stem_out', 16],
      ['head/dense', 16],
      ['head_out', 16],
    ]);
  });

  it('asks for an open size, and counts with it', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ name: 'conv', filters: 8, kernelSize: 3, inputShape: [null, null, 3] }),
        tf.layers.globalAveragePooling2d({}),
        dense(2),
      ],
    });
    expect(() => countFlops(model)).toThrow(ModelError);
    expect(() => countFlops(model)).toThrow(
      `layer 'conv' (Conv2D) works on open sizes, [open, open, 3] and [open, open, 8]; the input 'conv_input' is [open, open, 3]: ` +
        'give its size, such as --input-shape 224,224,3 (inputShapes: [224, 224, 3])',
    );
    expect(countFlops(model, { inputShapes: [12, 12, 3] }).macs).toBe(100 * 27 * 8 + 16);
    expect(() => layerMacs(model.layers[0]!)).toThrow(/'conv' \(Conv2D\) works on open sizes.* fixed size/);
  });

  it('asks by name where there are several inputs, and only for those that are open', () => {
    const [a, b] = [tf.input({ shape: [null, 4], name: 'a' }), tf.input({ shape: [4], name: 'b' })];
    const outputs = [a, b].map((x) => dense(2).apply(x) as tf.SymbolicTensor);
    const model = tf.model({ inputs: [a, b], outputs });
    expect(() => countFlops(model)).toThrow(
      /'a' is \[open, 4\]: give its size, such as --input-shape a=224,4 \(inputShapes: { a: \[224, 4\] }\)/,
    );
    expect(countFlops(model, { inputShapes: { a: [5, 4] } }).macs).toBe(5 * 8 + 8);
  });

  it('does not ask for a size that does not matter', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 50, outputDim: 8, inputShape: [null] } as never),
        tf.layers.globalAveragePooling1d({} as never),
        dense(3),
      ],
    });
    expect(countFlops(model).macs).toBe(24);
  });

  it('names a layer of a class that nobody has said how to count', () => {
    class Twice extends tf.layers.Layer {
      static className = 'Twice';
    }
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 2, inputShape: [3] }), new Twice({ name: 'own' })],
    });
    expect(() => countFlops(model)).toThrow(
      /^layer 'own' \(Twice\): nobody has said how to count.*registerMacs\('Twice', …\)/,
    );
    registerMacs('Twice', ({ inputs }) => 2 * inputs[0]![0]!);
    expect(countFlops(model).layers[1]).toEqual({ name: 'own', macs: 4, params: 0 });
    registerMacs('Twice', { like: 'Activation' });
    expect(countFlops(model).macs).toBe(6);
    expect(() => registerMacs('Twice', { like: 'Nothing' })).toThrow(/'Nothing'/);
  });
});
