import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveTrainConfig, type TrainConfig } from './config.js';
import { Barrier } from './replicas/barrier.js';
import { adam } from './update/adam.js';
import { constantThenLinear, l2Factor } from './update/schedule.js';

describe('constantThenLinear', () => {
  it('is 1 to the start of the decay, then falls by equal steps and would reach 0 at the end', () => {
    expect([0, 4, 5, 6, 9, 10].map((s) => constantThenLinear(s, 10, 0.5))).toEqual([1, 1, 1, 0.8, 0.2, 0]);
    expect([0, 9].map((s) => constantThenLinear(s, 10, 1))).toEqual([1, 1]);
    expect(constantThenLinear(5, 10, 0)).toBe(0.5);
  });
});

describe('l2Factor', () => {
  const factors = (l2: TrainConfig['l2']) =>
    [0, 1, 2, 3, 4, 5].map((step) => l2Factor(resolveTrainConfig({ epochs: 2, l2 }), step, 3, 100));

  it('is 2λ/N, λ growing by equal steps from the first step to the last', () => {
    expect(factors(undefined)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(factors(0.5)).toEqual(Array(6).fill(0.01));
    factors({ from: 0, to: 1 }).forEach((factor, step) => {
      expect(factor).toBeCloseTo((0.02 * step) / 5, 12);
    });
    expect(l2Factor({ l2: { from: 3, to: 4 }, epochs: 1 }, 0, 1, 2)).toBe(3);
  });
});

describe('adamStep', () => {
  const floats = (n: number, fill = 0) => new Float32Array(n).fill(fill);

  it('takes decay · weight as a part of the gradient', () => {
    const hyper = { step: 3, learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
    const state = (gradient: number[]) => ({
      ...{ weights: Float32Array.of(2, -4), gradient: Float32Array.from(gradient) },
      ...{ next: floats(2), m: floats(2), v: floats(2) },
    });
    const [added, decayed] = [state([1.5, 0]), state([0.5, 2])];
    adamStep(added, 0, 2, hyper);
    adamStep(decayed, 0, 2, { ...hyper, decay: 0.5 });
    expect(decayed.next).toEqual(added.next);
    expect(decayed.m).toEqual(added.m);
  });

  it('is the published algorithm, in slices as in one piece', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 5, maxLength: 5 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (g, cut, steps) => {
          const hyper = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
          const gradient = Float32Array.from(g);
          const state = { weights: floats(5, 1), gradient, next: floats(5), m: floats(5), v: floats(5) };
          let [m, v, w] = [g.map(() => 0), g.map(() => 0), g.map(() => 1)];
          for (let step = 1; step <= steps; step++) {
            adamStep(state, 0, cut, { ...hyper, step });
            adamStep(state, cut, 5, { ...hyper, step });
            [state.weights, state.next] = [state.next, state.weights];
            m = m.map((x, i) => 0.9 * x + 0.1 * (g[i] as number));
            v = v.map((x, i) => 0.999 * x + 0.001 * (g[i] as number) ** 2);
            w = w.map(
              (x, i) =>
                x -
                (0.01 * ((m[i] as number) / (1 - 0.9 ** step))) /
                  (Math.sqrt((v[i] as number) / (1 - 0.999 ** step)) + 1e-8),
            );
          }
          w.forEach((x, i) => {
            expect(state.weights[i]).toBeCloseTo(x, 4);
          });
        },
      ),
    );
  });
});

describe('Barrier', () => {
  it('lets nobody on before all have come, round after round, and breaks for good', async () => {
    const memory = new SharedArrayBuffer(Barrier.bytes);
    const counts = new Int32Array(new SharedArrayBuffer(12));
    const source = `
      const { workerData: { memory, counts, index, file } } = require('node:worker_threads');
      import(file).then(({ Barrier }) => {
        const barrier = new Barrier(memory, 3);
        for (let round = 1; round <= 200; round++) {
          Atomics.add(counts, index, 1);
          if (!barrier.wait()) throw new Error('broken');
          for (const other of counts) if (other < round) throw new Error('somebody was left behind');
          if (!barrier.wait()) throw new Error('broken');
        }
        if (index < 2 && barrier.wait()) throw new Error('went through a broken barrier');
      });`;
    const file = new URL('../dist/replicas/barrier.js', import.meta.url).href;
    const ends = [0, 1, 2].map(
      (index) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(source, { eval: true, workerData: { memory, counts, index, file } });
          worker.on('error', reject);
          worker.on('exit', resolve);
        }),
    );
    await ends[2];
    new Barrier(memory, 3).break();
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    expect([...counts]).toEqual([200, 200, 200]);
  });
});
