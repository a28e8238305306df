import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveTrainConfig, type TrainConfig } from '../config.js';
import { readWeights, weightLayout } from '../step/layout.js';
import { classifies, halves, smallNet } from '../testing.js';
import { scheduleFactor } from '../update/schedule.js';
import { Replica } from './replica.js';
import { sharedRun } from './shared-run.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterAll(() => tf.disposeVariables());

const data = { train: halves(64) };

describe('Replica', () => {
  it.each<TrainConfig & { ema: number; clipNorm: number }>([
    { optimizer: 'sgd', schedule: 'one-cycle', weightDecay: 0.1, learningRate: 0.1, ema: 0.5, clipNorm: 0.1 },
    { optimizer: 'adamw', schedule: 'cosine', warmup: 0.4, l2: 3, weightDecay: 2, ema: 0.3, clipNorm: 0.1 },
  ])('updates all kinds of weights as worked out in float64: $optimizer, $schedule', (options) => {
    const config = resolveTrainConfig({ epochs: 1, batchSize: 8, noiseRate: 3, ...options });
    const { beta1, beta2, epsilon, momentum, learningRate, weightDecay, noiseRate, l2 } = config;
    const model = smallNet();
    const run = sharedRun(model, data, config, classifies(model), 1);
    const { slots } = weightLayout(model);
    readWeights(slots, run.weights[0]);
    const average = run.average as Float32Array;
    average.set(run.weights[0]);
    const replica = new Replica(model, run, 0);
    for (let t = 0; t < 8; t++) {
      const copies = [run.weights[t % 2], run.m, run.v, average].map((vector) =>
        Float64Array.from(vector as Float32Array),
      );
      const [weights, m, v, mean] = copies as [Float64Array, Float64Array, Float64Array, Float64Array];
      replica.trainStep(
        Uint32Array.from({ length: 8 }, (_, i) => 8 * t + i),
        t,
      );
      const gradient = run.gradients[0] as Float32Array;
      const factor = scheduleFactor(config, t, 8);
      const ofWeights = slots.filter(({ kind }) => kind === 'weight');
      const norm = Math.hypot(...ofWeights.flatMap(({ from, to }) => [...gradient.subarray(from, to)]));
      expect(norm).toBeGreaterThan(options.clipNorm);
      for (const { kind, kernel, from, to } of slots)
        for (let i = from; i < to; i++) {
          const [w, g] = [weights[i] as number, gradient[i] as number];
          let next = g;
          if (kind === 'weight' || kind === 'noise') {
            const isSgd = kind === 'weight' && config.optimizer === 'sgd';
            const bent =
              kind === 'noise'
                ? g
                : (g * options.clipNorm) / norm + (kernel ? (2 * (l2 as number) * w) / 64 : 0);
            const rate =
              factor *
              (kind === 'weight'
                ? learningRate
                : noiseRate * (config.optimizer === 'sgd' ? 1e-3 : learningRate));
            const first = isSgd
              ? momentum * (m[i] as number) + bent
              : beta1 * (m[i] as number) + (1 - beta1) * bent;
            const second = isSgd ? 0 : beta2 * (v[i] as number) + (1 - beta2) * bent ** 2;
            const step = isSgd
              ? bent + momentum * first
              : first / (1 - beta1 ** (t + 1)) / (Math.sqrt(second / (1 - beta2 ** (t + 1))) + epsilon);
            next = w - rate * step - (kernel ? rate * (weightDecay as number) * w : 0);
            expect(run.m[i]).toBeCloseTo(first, 6);
            expect(run.v[i]).toBeCloseTo(second, 6);
          }
          expect(run.weights[(t + 1) % 2]?.[i]).toBeCloseTo(next, 5);
          const decay = Math.min(options.ema, (2 + t) / (11 + t));
          expect(average[i]).toBeCloseTo(decay * (mean[i] as number) + (1 - decay) * next, 5);
        }
    }
    replica.dispose();
  });
});
