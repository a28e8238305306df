import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { logNormalDropout, NoiseConfigError, noisyDense, sparseVdDense } from '../index.js';

const inputShape = [3, 4];
const wrap = (layer: tf.layers.Layer) => tf.layers.timeDistributed({ layer, inputShape } as never);

describe('noise inside a wrapper', () => {
  it.each([
    ['noisyDense', () => wrap(noisyDense({ name: 'd', units: 2 }))],
    ['logNormalDropout', () => wrap(logNormalDropout({ name: 'd' }))],
    ['sparseVdDense', () => wrap(sparseVdDense({ name: 'd', units: 2 }))],
    [
      'a model with noise',
      () =>
        wrap(
          tf.sequential({
            layers: [tf.layers.dense({ units: 2, inputShape: [4] }), noisyDense({ name: 'd', units: 2 })],
          }),
        ),
    ],
  ])('%s is refused when it is built, in one line that names both', (_, wrapped) => {
    const build = () => tf.sequential({ layers: [wrapped()] });
    expect(build).toThrow(NoiseConfigError);
    expect(build).toThrow(
      /^d: noise can't be inside 'time_distributed_\w+' \(TimeDistributed\), .*put logNormalDropout behind it/,
    );
  });

  it('in Bidirectional, too', () => {
    const layer = noisyDense({ name: 'd', units: 2 }) as never;
    const build = () => tf.sequential({ layers: [tf.layers.bidirectional({ layer, inputShape } as never)] });
    expect(build).toThrow(/^forward_d: noise can't be inside 'bidirectional_\w+' \(Bidirectional\)/);
  });

  it('wrappers of other layers are as they were, and noise may stand behind them', () => {
    const model = tf.sequential({
      layers: [
        wrap(tf.layers.dense({ units: 2 })),
        logNormalDropout(),
        tf.layers.bidirectional({
          layer: tf.layers.gru({ units: 3 }) as never,
          mergeMode: 'concat',
        } as never),
      ],
    });
    expect((model.predict(tf.ones([2, 3, 4])) as tf.Tensor).shape).toEqual([2, 6]);
  });
});
