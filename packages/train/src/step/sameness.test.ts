// Every engine that is here does the same: each kind of network and method, one step, a hundred, and one's run gone on with by another.
import { type EngineName, useEngine } from '@sbp/engine';
import { leNet5, leNetFc, type NetOptions, vggLike } from '@sbp/layers';
import { philox } from '@sbp/math';
import { type TrainConfig, type TrainState, train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import { batchOf, classifies, copyOf, halves, smallNet } from '../testing.js';
import { setTrainExamples, weightLayout } from './layout.js';
import { noiseSize, stepFunction } from './step.js';

const present: EngineName[] = [];
const absent: string[] = [];
for (const name of ['wasm', 'cpu', 'tensorflow'] as const)
  await useEngine(name).then(
    () => present.push(name),
    (error: Error) => absent.push(`${name}: ${error.message}`),
  );
const skipped = absent.length ? ` (skipped: ${absent.join('; ')})` : '';
/** tfjs's own kernels on float32 arrays, the plainest there are: what the others are compared with. */
const [reference, ...others] = ['cpu', ...present.filter((name) => name !== 'cpu')] as EngineName[] as [
  EngineName,
  ...EngineName[],
];

afterEach(() => tf.disposeVariables());

const methods: Record<string, NetOptions> = {
  noise: { noise: { klWeight: 'macs', logSigmaInit: -2 } },
  'sparse VD': { sparseVd: {} },
  'group lasso': { groupLasso: { filters: 0.01, channels: 0.01 } },
};
const networks = { 'LeNet-5': leNet5, 'LeNet-fc': leNetFc, 'VGG-like ×1/16': vggLike };

function build(network: keyof typeof networks, options: NetOptions): tf.LayersModel {
  return network === 'VGG-like ×1/16' ? vggLike({ ...options, scale: 1 / 16 }) : networks[network](options);
}

/** Loss, KL and gradients of one step, from numbers that are the same for all engines. */
async function oneStep(engine: EngineName, make: () => tf.LayersModel): Promise<Record<string, number[]>> {
  await useEngine(engine);
  const model = make();
  setTrainExamples(model, Array(50).fill(1000));
  const { slots } = weightLayout(model);
  const trained = slots.filter(({ kind }) => kind !== 'statistic');
  const [batch, classes] = [2, (model.outputs[0] as tf.SymbolicTensor).shape.at(-1) as number];
  const inputShape = (model.inputs[0] as tf.SymbolicTensor).shape.slice(1) as number[];
  const numbers = (shape: number[], stream: number) => {
    const values = new Float32Array(shape.reduce((p, d) => p * d, 1));
    return tf.tensor(philox(3, stream).uniforms(0, values), shape);
  };
  const labels = Array.from({ length: batch }, (_, i) => i % classes);
  const result = tf.tidy(() => {
    const { gradients, loss, kl, measured } = stepFunction(model, trained, classifies(model))(
      trained.map(({ variable }) => variable.read()),
      batchOf(
        numbers([batch, ...inputShape], 1),
        tf.oneHot(labels, classes).toFloat(),
        numbers([noiseSize(model)], 2),
      ),
      { seed: tf.tensor1d([7, 8], 'int32') },
    );
    // some layers' names count the layers of the process
    const named = trained.map((_, i) => [`gradient ${i}`, gradients[i]] as const);
    const all = [['loss', loss], ['kl', kl], ['measured', measured], ...named] as [string, tf.Tensor][];
    return Object.fromEntries(all.map(([name, tensor]) => [name, [...tensor.dataSync()]]));
  });
  tf.disposeVariables();
  return result;
}

const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));

describe(`the engines${skipped}`, () => {
  const cases = Object.keys(networks).flatMap((network) =>
    Object.keys(methods).map((method) => [network, method] as const),
  );
  const made: [string, () => tf.LayersModel][] = [
    ...cases.map(([network, method]): [string, () => tf.LayersModel] => [
      `${network} with ${method}`,
      () => build(network as keyof typeof networks, methods[method] as NetOptions),
    ]),
    ['a small network of every kind of layer', () => smallNet()],
  ];

  // Sums are added up in another order: each addition rounds by 6e-8, and a layer's sums are the next one's inputs. Gradients through
  // 14 layers were seen 2e-5 of their norm apart, and the KL of 431,000 weights, one sum, 4e-5.
  it.each(made)(
    'take the same step of %s: loss within 1e-5, KL and gradients within 1e-4',
    async (_, make) => {
      const expected = await oneStep(reference, make);
      for (const engine of others) {
        const actual = await oneStep(engine, make);
        expect(Object.keys(actual)).toEqual(Object.keys(expected));
        for (const [name, values] of Object.entries(expected)) {
          const difference = norm(values.map((value, i) => value - (actual[name]?.[i] as number)));
          const tolerance = name === 'loss' ? 1e-5 : 1e-4;
          expect(difference, `${engine}: ${name}`).toBeLessThanOrEqual(tolerance * (norm(values) + 1e-6));
        }
      }
    },
  );

  /** A run's weights, from the same seed on every engine. */
  async function run(engine: EngineName, config: TrainConfig, hooks: Parameters<typeof train>[3] = {}) {
    await useEngine(engine);
    const model = smallNet();
    await train(model, data, { ...config, replicas: 1 }, hooks);
    const weights = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
    tf.disposeVariables();
    return weights;
  }
  const data = { train: halves(320), test: halves(64) };
  const hundred: TrainConfig = { epochs: 10, batchSize: 32, learningRate: 0.001, seed: 5 };
  const distance = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));

  it('train for 100 steps to the same weights, within 1e-3', async () => {
    const expected = await run(reference, hundred);
    for (const engine of others) {
      const apart = distance(await run(engine, hundred), expected);
      expect(apart, engine).toBeLessThan(1e-3);
    }
  });

  it("go on from each other's runs as if they were their own", async () => {
    const short = { ...hundred, epochs: 4 };
    const whole = await run(reference, short);
    const engines = [reference, ...others];
    for (const [i, first] of engines.entries()) {
      let resume: TrainState | undefined;
      const stop = new Error('stopped');
      const onEpoch = (_: unknown, state: TrainState) => {
        resume = copyOf(state);
        if (state.epoch === 2) throw stop;
      };
      await expect(run(first, short, { onEpoch })).rejects.toBe(stop);
      const second = engines[(i + 1) % engines.length] as EngineName;
      const apart = distance(await run(second, short, { resume }), whole);
      expect(apart, `${first}, then ${second}`).toBeLessThan(1e-3);
    }
  });
});
