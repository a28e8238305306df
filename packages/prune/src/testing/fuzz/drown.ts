import { type Noise, noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { layersOf, numbers } from '../fill.js';

/** The noises of a model and of the models in it, each once. */
export const allNoises = (model: tf.LayersModel): Noise[] => [
  ...new Set(noisesOf({ layers: layersOf(model) })),
];

/**
 * Sets every noise as after training: of each one's groups the given share, chosen at random, far below the threshold, the others above it with E θ between 0.3
 * and 0.7. What is no whole number of groups is rounded up or down at random. A noise whose groups are all drowned keeps its best.
 */
export function drown(model: tf.LayersModel, seed: number, share: number): void {
  const next = numbers(seed);
  for (const noise of allNoises(model)) {
    const gone = Math.floor(noise.groups * share + next());
    const order = Array.from({ length: noise.groups }, (_, group) => ({ group, at: next() })).sort(
      (a, b) => a.at - b.at,
    );
    const drowned = new Set(order.slice(0, gone).map(({ group }) => group));
    const groups = Array.from({ length: noise.groups }, (_, group) => group);
    tf.tidy(() => {
      noise.mu.write(tf.tensor1d(groups.map(() => -0.4 - 0.6 * next())));
      noise.logSigma.write(tf.tensor1d(groups.map((group) => (drowned.has(group) ? 3 : -3))));
      return [];
    });
  }
}
