import { batchArrays, classTarget, type Dataset, prepared, readBatch } from '@sbp/data';
import { useEngine } from '@sbp/engine';
// the built package: worker threads run JavaScript
import { type EpochMetrics, type TrainConfig, type TrainHooks, type TrainState, train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { copyOf, halves, smallNet } from '../testing.js';

beforeAll(async () => {
  await useEngine('wasm');
});
afterEach(() => void vi.restoreAllMocks());

const augmented = (dataset: Dataset): Dataset =>
  prepared(dataset, { normalize: 'standardize', augment: ['cifar10'] });
const plain = { train: halves(230), test: halves(100) };
const data = { train: augmented(plain.train), test: augmented(plain.test) };
const config: TrainConfig = { epochs: 2, batchSize: 32, learningRate: 0.01, seed: 5, replicas: 1 };

async function trained(options: TrainConfig = {}, hooks: TrainHooks = {}, from = data, batchNorm = true) {
  const model = smallNet(batchNorm);
  const history = await train(model, from, { ...config, ...options }, hooks);
  return { model, history, weights: model.getWeights().flatMap((w) => [...w.dataSync()]) };
}
const distance = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));

describe('training on images that are prepared', () => {
  it('ends with the same bits whether threads prepare them or the steps themselves, and others than on plain ones', async () => {
    const { weights, history } = await trained();
    expect(history.every(({ dataShare }) => (dataShare as number) > 0 && (dataShare as number) < 1)).toBe(
      true,
    );
    const threads = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    expect((await trained()).weights).toEqual(weights);
    expect(threads).toHaveBeenCalled();
    const others = await trained({}, {}, plain);
    expect(distance(others.weights, weights)).toBeGreaterThan(1e-3);
    expect(others.history[0]).not.toHaveProperty('dataShare');
  });

  it.each([1, 2])('goes on from within an epoch to the same bit, on %i replicas', async (replicas) => {
    const whole = await trained({ replicas });
    let saved: TrainState | undefined;
    const stop = new Error('stopped');
    const stops: number[] = [];
    let steps = 0;
    const onCheckpoint = (state: TrainState) => {
      if (++steps % 3 !== 0) return;
      saved = copyOf(state);
      stops.push(state.epoch);
      throw stop;
    };
    let resumed: Awaited<ReturnType<typeof trained>> | undefined;
    while (!resumed)
      resumed = await trained({ replicas }, { resume: saved, checkpointMinutes: 0, onCheckpoint }).catch(
        (error) => void expect(error).toBe(stop),
      );
    expect(resumed.weights).toEqual(whole.weights);
    expect(new Set(stops)).toEqual(new Set([0, 1]));
    const figures = ({ loss, kl, trainError, error }: EpochMetrics) => ({ loss, kl, trainError, error });
    expect(figures(resumed.history.at(-1) as EpochMetrics)).toEqual(
      figures(whole.history.at(-1) as EpochMetrics),
    );
  });

  it('gives the same weights on 1 and 3 replicas within 1e-4', async () => {
    const run = (replicas: number) => trained({ replicas, learningRate: 1e-3 }, {}, data, false);
    const [one, three] = [await run(1), await run(3)];
    expect(distance(one.weights, three.weights)).toBeLessThan(1e-4);
  });

  it('evaluates on images that are standardised and not distorted', async () => {
    const { model, history } = await trained({ epochs: 1 });
    const { size, inputs } = data.test;
    const labels = classTarget(data.test).values;
    const all = Array.from({ length: size }, (_, i) => i);
    const standardized = prepared(data.test, { normalize: 'standardize' });
    const [images] = readBatch(standardized, all, batchArrays(standardized, size)).inputs;
    const output = model.predict(
      tf.tensor(images as Float32Array, [size, ...(inputs[0]?.shape ?? [])]),
    ) as tf.Tensor;
    const wrong = [...tf.argMax(output, -1).dataSync()].filter((label, i) => label !== labels[i]).length;
    expect(history[0]?.error).toBe((100 * wrong) / size);
  });
});
