import { labelledImages } from '@sbp/data';
import { objectiveOf } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { agreementOf, predictWith } from './agreement.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Softmax of the single pixel's value times [1, 2] plus a bias. */
function net(bias: number): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [1, 1, 1] }),
      tf.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  model.setWeights([tf.tensor2d([[1, 2]]), tf.tensor1d([bias, 0])]);
  return model;
}

it('finds the largest difference and every other prediction, over more than one batch', async () => {
  const size = 1200;
  const images = Uint8Array.from({ length: size }, (_, i) => (i < 1100 ? 255 : 0));
  const labels = new Uint8Array(size);
  const dataset = labelledImages({ name: 'one', images, labels, shape: [1, 1, 1], classes: 2 });
  const reference = net(-0.1);
  const objective = objectiveOf(reference, dataset, { labelSmoothing: 0 });
  const [same, other, broken] = await Promise.all(
    [-0.1, 0.5, Number.NaN].map((bias) => agreementOf(reference, predictWith(net(bias)), dataset, objective)),
  );
  expect(same).toEqual({ examples: size, maxDifference: 0, otherPredictions: 0 });
  // only the black pixels change sides
  expect(other?.otherPredictions).toBe(100);
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  expect(other?.maxDifference).toBeCloseTo(sigmoid(0.5) - sigmoid(-0.1), 5);
  expect(broken?.maxDifference).toBeNaN();
});
