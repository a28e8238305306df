import { noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectedKlScale, weighKl, withNoise } from '../index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Dense layers of 4, 8 and 2 units, the first two with noise. */
function noisy(): tf.LayersModel {
  const sizes = [4, 8, 2];
  const layers = sizes.map((units, i) =>
    tf.layers.dense({ units, name: `dense${i}`, ...(i === 0 && { inputShape: [3] }) }),
  );
  return withNoise(tf.sequential({ layers }), { trainExamples: 1000 });
}

describe('the KL scale to start with', () => {
  const options = { asked: 0.25, batchSize: 10, trainExamples: 1000 };
  const all = (score: number) => ({
    name: 'own',
    score: ({ groups }: { groups: number }) => new Array(groups).fill(score),
  });

  it('is N times the Fisher information, which batches have their size of times less, over the KL weight', () => {
    expect(expectedKlScale(noisy(), all(0.002), options)).toBeCloseTo(1000 * 10 * 0.002, 10);
    expect(expectedKlScale(noisy(), all(0), options)).toBe(0);
  });

  it('leaves as many groups below it as have to go', () => {
    const model = noisy();
    const rising = {
      name: 'own',
      score: ({ groups, index }: { groups: number; index: number }) =>
        Array.from({ length: groups }, (_, i) => 4 * index + i),
    };
    const scaleAt = (asked: number) =>
      expectedKlScale(model, rising, { ...options, asked, batchSize: 1, trainExamples: 1 });
    // half of twelve groups, all with a weight of 1
    expect(scaleAt(0.25)).toBe(5);
    expect(scaleAt(0.0001)).toBe(11);
    expect(scaleAt(1)).toBe(0);
    weighKl(model, { macs: 0.25 });
    const [first, second] = noisesOf(model).map(({ klWeight }) => klWeight) as [number, number];
    expect(first).toBeGreaterThan(second);
    expect(scaleAt(0.0001)).toBeCloseTo(11 / second, 10);
  });
});
