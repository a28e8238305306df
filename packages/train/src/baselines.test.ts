import { useEngine } from '@sbp/engine';
import { groupLasso, sparseVdConv2d, sparseVdDense } from '@sbp/layers';
// the built package: worker threads run JavaScript
import { type TrainConfig, train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { halves } from './testing.js';

const absent = await useEngine('tensorflow').then(
  () => '',
  () => ' (skipped: TensorFlow is not installed)',
);

const data = { train: halves(600), test: halves(200) };
const initial = (seed: number) => tf.initializers.glorotUniform({ seed });

const sparseVdNet = (): tf.LayersModel => {
  const vd = { logSigma2Init: -4, klScale: 0.1 };
  return tf.sequential({
    layers: [
      sparseVdConv2d({
        name: 'c',
        filters: 4,
        kernelSize: 3,
        inputShape: [8, 8, 1],
        vd,
        kernelInitializer: initial(1),
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.reLU(),
      tf.layers.flatten(),
      sparseVdDense({ name: 'd', units: 6, activation: 'relu', vd, kernelInitializer: initial(2) }),
      sparseVdDense({ name: 'logits', units: 2, vd, kernelInitializer: initial(3) }),
      tf.layers.softmax(),
    ],
  });
};

const lassoNet = (): tf.LayersModel => {
  const kernelRegularizer = groupLasso({ filters: 0.02, channels: 0.02 }) as never;
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        name: 'c',
        filters: 6,
        kernelSize: 3,
        inputShape: [8, 8, 1],
        kernelRegularizer,
        kernelInitializer: initial(1),
      }),
      tf.layers.reLU(),
      tf.layers.flatten(),
      tf.layers.dense({
        name: 'd',
        units: 12,
        activation: 'relu',
        kernelRegularizer,
        kernelInitializer: initial(2),
      }),
      tf.layers.dense({ name: 'logits', units: 2, kernelInitializer: initial(3) }),
      tf.layers.softmax(),
    ],
  });
};

async function trained(net: () => tf.LayersModel, config: TrainConfig) {
  const model = net();
  const history = await train(model, data, { batchSize: 50, learningRate: 1e-3, replicas: 1, ...config });
  return { history, weights: model.getWeights().flatMap((weight) => [...weight.dataSync()]) };
}

const distance = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));

describe('train on wasm', () => {
  it('trains sparse variational dropout, its KL in the metrics, the same on 1 and 3 replicas', async () => {
    await useEngine('wasm');
    const [one, three, other] = [
      await trained(sparseVdNet, { epochs: 3 }),
      await trained(sparseVdNet, { epochs: 3, replicas: 3 }),
      await trained(sparseVdNet, { epochs: 1, seed: 1 }),
    ];
    expect(distance(one.weights, three.weights)).toBeLessThan(1e-4);
    expect(distance(one.weights, other.weights)).toBeGreaterThan(1e-2);
    const last = one.history.at(-1);
    expect(last?.kl).toBeGreaterThan(1e-3);
    expect(last?.total).toEqual({ c: 4, 'c/inputs': 1, d: 6, 'd/inputs': 36, logits: 2, 'logits/inputs': 6 });
  });

  it('learns with sparse variational dropout', async () => {
    await useEngine('wasm');
    const { history } = await trained(sparseVdNet, { epochs: 20, learningRate: 3e-3 });
    expect(history.at(-1)?.error).toBeLessThan(5);
    expect(history.at(-1)?.kept['d/inputs']).toBeLessThan(36);
  });

  it('trains group lasso until groups are below 1e-5: the rate falls to 0, and so do the steps that keep them alive', async () => {
    await useEngine('wasm');
    const { history } = await trained(lassoNet, { epochs: 40, learningRate: 3e-3, decayFrom: 0.3 });
    const { kept, total, error } = history.at(-1) as (typeof history)[number];
    expect(total).toEqual({ c: 6, 'c/inputs': 1, d: 12, 'd/inputs': 216 });
    expect(kept.c).toBeLessThan(6);
    expect(kept['d/inputs']).toBeLessThan(150);
    expect(error).toBeLessThan(5);
  });
});

describe.skipIf(absent)(`train on tensorflow${absent}`, () => {
  it.each([
    ['sparse variational dropout', sparseVdNet],
    ['group lasso', lassoNet],
  ])('gives %s the weights that it gets on wasm, within 1e-3 after 36 steps', async (_name, net) => {
    await useEngine('wasm');
    const wasm = await trained(net, { epochs: 3 });
    await useEngine('tensorflow');
    const graph = await trained(net, { epochs: 3 });
    expect(distance(wasm.weights, graph.weights)).toBeLessThan(1e-3);
    expect(graph.history.at(-1)?.kl).toBeCloseTo(wasm.history.at(-1)?.kl as number, 3);
  });
});
