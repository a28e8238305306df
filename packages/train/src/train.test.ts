import { classTarget, type Dataset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { leNetFc, noisesOf, noisyConv2d, withDropout } from '@sbp/layers';
// the built package: worker threads run JavaScript
import { type EpochMetrics, type TrainConfig, TrainError, type TrainState, train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { assert, beforeAll, describe, expect, it } from 'vitest';
import { copyOf, halves, smallNet } from './testing.js';

beforeAll(async () => {
  await useEngine('wasm');
});

const data = { train: halves(500), test: halves(200) };

const config: TrainConfig = { epochs: 2, batchSize: 64, learningRate: 0.01, seed: 5, replicas: 1 };
/** Whatever has a state of its own, or makes replicas meet. */
const everything = {
  optimizer: 'adamw',
  schedule: 'one-cycle',
  clipNorm: 0.5,
  ema: 0.9,
} satisfies TrainConfig;
const weightsOf = (model: tf.LayersModel) => model.getWeights().flatMap((w) => [...w.dataSync()]);
const distance = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));

async function trained(options: TrainConfig, hooks = {}): Promise<number[]> {
  const model = smallNet();
  await train(model, data, options, hooks);
  return weightsOf(model);
}

describe('train', () => {
  it('learns, reports what it did and leaves no tensors behind', async () => {
    // batch norm's moving averages would need more steps than this to settle
    const model = smallNet(false);
    const before = tf.memory().numTensors;
    const history = await train(model, data, { ...config, epochs: 8 });
    expect(tf.memory().numTensors).toBe(before);
    expect(history).toHaveLength(8);
    expect(history.at(-1)?.error).toBeLessThan(5);
    expect(history[0]?.loss).toBeGreaterThan(history.at(-1)?.loss as number);
    expect(history[0]?.total).toEqual({ c: 4, f: 36, d: 6 });
    const correct = (
      tf.argMax(model.predict(images(data.test)) as tf.Tensor, -1).dataSync() as Int32Array
    ).filter((label, i) => label === classTarget(data.test).values[i]).length;
    expect(history.at(-1)?.error).toBe((100 * (200 - correct)) / 200);
  });

  it('gives the same weights to the bit for the same seed, others for another', async () => {
    const first = await trained(config);
    expect(await trained(config)).toEqual(first);
    expect(distance(await trained({ ...config, seed: 6 }), first)).toBeGreaterThan(1e-3);
  });

  it('goes on from a saved state to the same bit', async () => {
    const whole = await trained({ ...config, epochs: 3 });
    let saved: TrainState | undefined;
    const stop = new Error('stopped');
    const onEpoch = (_: unknown, state: TrainState) => {
      saved = copyOf(state);
      throw stop;
    };
    await expect(trained({ ...config, epochs: 3 }, { onEpoch })).rejects.toBe(stop);
    expect(saved?.epoch).toBe(1);
    expect(await trained({ ...config, epochs: 3 }, { resume: saved })).toEqual(whole);
  });

  it.each([1, 2])('goes on from within an epoch to the same bit, on %i replicas', async (replicas) => {
    const options = { ...config, ...everything, epochs: 2, batchSize: 64, replicas };
    const whole: EpochMetrics[] = [];
    const expected = await trained(options, { onEpoch: (metrics: EpochMetrics) => void whole.push(metrics) });
    let saved: TrainState | undefined;
    const stop = new Error('stopped');
    const places: number[] = [];
    const seen: EpochMetrics[] = [];
    const hooks = () => ({
      resume: saved,
      checkpointMinutes: 0,
      onEpoch: (metrics: EpochMetrics) => void seen.push(metrics),
      onCheckpoint: (state: TrainState) => {
        saved = copyOf(state);
        places.push(state.epoch * 500 + (state.within?.sums.examples as number));
        if (places.length === 2) throw stop;
      },
    });
    let weights: number[] | undefined;
    while (!weights)
      weights = await trained(options, hooks()).catch((error) => void expect(error).toBe(stop));
    expect(weights).toEqual(expected);
    expect(places.length).toBeGreaterThan(4);
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    const figures = ({ loss, kl, trainError, error }: EpochMetrics) => ({ loss, kl, trainError, error });
    expect(seen.map(figures)).toEqual(whole.map(figures));
  });

  it.each([1, 2])(
    'shrinks while it trains, and goes on to the same bit, on %i replicas',
    async (replicas) => {
      const options = {
        ...config,
        epochs: 6,
        batchSize: 32,
        noiseRate: 10,
        learningRate: 0.01,
        replicas,
        shrink: true,
        ema: 0.8,
      };
      const states: TrainState[] = [];
      const metrics: EpochMetrics[] = [];
      const hooks = {
        checkpointMinutes: 0,
        onEpoch: (epoch: EpochMetrics, state: TrainState) => {
          metrics.push(epoch);
          states.push(copyOf(state));
        },
        onCheckpoint: (state: TrainState) => void (states.length % 2 && states.push(copyOf(state))),
      };
      const net = () => {
        const model = smallNet(false);
        for (const noise of noisesOf(model)) Object.assign(noise.config, { klScale: 0.5 });
        return model;
      };
      const model = net();
      await train(model, data, options, hooks);
      const expected = weightsOf(model);
      const narrow = states.filter(({ live }) => live);
      expect(narrow.at(-1)?.live?.d?.length).toBeLessThan(6);
      const within = narrow.find((state) => state.within);
      for (const resume of replicas === 1 ? [narrow[0], within, narrow.at(-1)] : [within]) {
        assert(resume);
        const again = net();
        await train(again, data, options, { resume });
        expect(weightsOf(again)).toEqual(expected);
      }
      expect(metrics.at(-1)?.error).toBeLessThan(20);
      // what was measured on the narrow network is what the whole one does
      const predicted = tf.argMax(model.predict(images(data.test)) as tf.Tensor, -1).dataSync() as Int32Array;
      const wrong = predicted.filter((label, i) => label !== classTarget(data.test).values[i]).length;
      expect(metrics.at(-1)?.error).toBe((100 * wrong) / 200);
    },
  );

  it.each([1, 3])(
    'has L2 on the kernels alone: on %i replicas as with a regularizer of each',
    async (replicas) => {
      const [lambda, examples] = [40, 500];
      const net = (l2: number) => {
        const kernelRegularizer = tf.regularizers.l2({ l2 });
        const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
        return tf.sequential({
          layers: [
            noisyConv2d({
              ...{ filters: 3, kernelSize: 3, inputShape: [8, 8, 1], noise: {}, biasInitializer: 'ones' },
              ...{ kernelRegularizer, kernelInitializer },
            }),
            tf.layers.batchNormalization(),
            tf.layers.flatten(),
            tf.layers.dense({ units: 2, biasInitializer: 'ones', kernelRegularizer, kernelInitializer }),
          ],
        });
      };
      const run = async (own: number, l2: TrainConfig['l2'], replicas = 1) => {
        const model = net(own);
        await train(model, data, { ...config, learningRate: 1e-3, epochs: 1, replicas, l2 });
        return weightsOf(model);
      };
      const [expected, actual, none] = [
        await run(lambda / examples, 0),
        await run(0, lambda, replicas),
        await run(0, 0),
      ];
      // the bias before batch norm has no gradient but rounding, which Adam blows up to whole steps
      const apart = (a: number[], b: number[]) => distance(a.slice(0, 27), b.slice(0, 27));
      expect(apart(actual, expected)).toBeLessThan(1e-5);
      expect(apart(actual, none)).toBeGreaterThan(1e-3);
    },
  );

  it('goes on with a ramp of L2 to the same bit', async () => {
    const options = { ...config, epochs: 3, l2: { from: 0, to: 100 } };
    let saved: TrainState | undefined;
    const onEpoch = (_: unknown, state: TrainState) => {
      saved ??= copyOf(state);
    };
    const whole = await trained(options, { onEpoch });
    expect(await trained(options, { resume: saved })).toEqual(whole);
    expect(distance(whole, await trained({ ...options, l2: { from: 100, to: 0 } }))).toBeGreaterThan(1e-3);
  });

  it.each([1, 2])(
    'leaves layers that are not to be trained as they are, to the bit, on %i replicas',
    async (replicas) => {
      const model = smallNet();
      const frozen = model.layers.filter((layer) => layer.getClassName() === 'BatchNormalization');
      frozen.push(model.getLayer('d'));
      for (const layer of frozen) layer.trainable = false;
      const of = (layers: tf.layers.Layer[]) =>
        layers.flatMap((l) => l.getWeights().flatMap((w) => [...w.dataSync()]));
      frozen[0]?.setWeights([0.3, 0.7, 0.9, 1.3].map((v) => tf.fill([4], v)));
      const [before, others] = [of(frozen), of([model.getLayer('c')])];
      let saved: TrainState | undefined;
      const onEpoch = (_: unknown, state: TrainState) => {
        saved ??= copyOf(state);
      };
      const options = { ...config, epochs: 2, replicas };
      await train(model, data, options, { onEpoch });
      expect(of(frozen)).toEqual(before);
      const end = of([model.getLayer('c')]);
      expect(distance(end, others)).toBeGreaterThan(1e-3);
      await train(model, data, options, { resume: saved });
      expect([of(frozen), of([model.getLayer('c')])]).toEqual([before, end]);
    },
  );

  it('draws dropout the same on 1 and 3 replicas', async () => {
    const run = async (replicas: number, seed = 5) => {
      const model = withDropout(smallNet(false), { f: 0.5, d: 0.3 });
      await train(model, data, { ...config, epochs: 1, learningRate: 1e-3, replicas, seed });
      return weightsOf(model);
    };
    const [one, three] = [await run(1), await run(3)];
    expect(distance(one, three)).toBeLessThan(1e-4);
    const plain = smallNet(false);
    await train(plain, data, { ...config, epochs: 1, learningRate: 1e-3 });
    expect(distance(weightsOf(plain), one)).toBeGreaterThan(1e-3);
  });

  it('tells the error on held-out images', async () => {
    const hold = { ...data, validation: halves(100) };
    const [metrics] = await train(smallNet(), hold, { ...config, epochs: 1 });
    expect(metrics?.validationError).toBeGreaterThanOrEqual(0);
    expect((metrics?.validationError as number) % 1).toBe(0);
  });

  it('keeps the last good weights and says where the loss stopped being finite', async () => {
    const model = smallNet();
    await expect(train(model, data, { ...config, learningRate: 1e30 })).rejects.toThrow(
      /not finite at epoch 1, step \d+; the model holds the last good weights; lower learningRate/,
    );
    expect(weightsOf(model).every(Number.isFinite)).toBe(true);
  });

  it('names the setting, what it is and what was expected', async () => {
    const bad = (options: object) => train(smallNet(), data, options as TrainConfig);
    await expect(bad({ epochs: 0 })).rejects.toThrow(/train config: epochs: .*>=1/);
    await expect(bad({ l2: -1 })).rejects.toThrow(/train config: l2: /);
    await expect(bad({ epoch: 3 })).rejects.toThrow(/train config: .*"epoch"/);
    await expect(train(leNetFc(), data)).rejects.toThrow(
      new TrainError(
        "the model's input is 28×28×1, the examples of halves are 8×8×1; build the model for them.",
      ),
    );
  });

  it('decays the rate linearly in the second half', async () => {
    const history = await train(smallNet(), data, { ...config, epochs: 4 });
    expect(history.map((h) => h.learningRate)).toEqual([
      0.01,
      0.01,
      expect.closeTo(0.01 * (9 / 16), 6),
      expect.closeTo(0.01 / 16, 6),
    ]);
  });

  it('takes the noise layers from a model of any kind', () => {
    expect(noisesOf(smallNet()).map((n) => n.layer.name)).toEqual(['c', 'f', 'd']);
  });
});

function images(dataset: Dataset): tf.Tensor {
  return tf.tensor(
    Float32Array.from(dataset.inputs[0]?.values as Uint8Array, (p) => p / 255),
    [dataset.size, ...(dataset.inputs[0]?.shape ?? [])],
  );
}
