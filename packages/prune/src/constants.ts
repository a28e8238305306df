import * as tf from '@tensorflow/tfjs';
import type { ChannelSet } from './channel-sets.js';
import type { Step } from './steps.js';

/** What a unit that noise has set to 0, or that has no weights left, has become by the time its reader sees it. */
export interface Constants {
  /** Value of each unit, where it is the same at every position. */
  readonly values: Float64Array;
  /** Whether it is the same at every position, up to float32 rounding. */
  readonly even: readonly boolean[];
}

/**
 * The set's own steps, run on what its maker gives where it has no weights left, which is its bias; noise turns that into 0. Units that nothing sets
 * to 0 get meaningless values.
 * Running the model's layers rather than restating them covers every activation, pooling and padding alike.
 */
export function constantsOf(steps: readonly Step[], set: ChannelSet): Constants {
  const { outShape, linear } = steps[set.maker]!;
  const data = tf.tidy(() => {
    const bias = linear?.sparsity?.bias ?? new Float64Array(outShape.at(-1)!);
    let x: tf.Tensor = tf.zeros([1, ...outShape]).add(Float32Array.from(bias));
    for (const i of set.path) x = steps[i]!.run!(x);
    return x.dataSync();
  });
  const { units } = set;
  const values = new Float64Array(units);
  const even: boolean[] = [];
  for (let u = 0; u < units; u++) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = u; i < data.length; i += units) {
      low = Math.min(low, data[i]!);
      high = Math.max(high, data[i]!);
    }
    values[u] = (low + high) / 2;
    even.push(high - low <= 1e-6 * Math.abs(values[u]!));
  }
  return { values, even };
}
