import {
  leNet5,
  logNormalDropout,
  type Noise,
  noisesOf,
  noisyDense,
  sampleLogTheta,
  seededDropout,
  vggLike,
  withDraws,
  withThetas,
  withWeights,
} from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { headsOf } from '../objective/heads.js';
import { batchOf, classifies } from '../testing.js';
import { weightLayout } from './layout.js';
import { readNoises } from './read-noise.js';
import { noiseSize, stepFunction } from './step.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const noise = { klScale: 3, logSigmaInit: -1, trainExamples: 10 };
const initial = (seed: number) => tf.initializers.glorotUniform({ seed });

const draws = { seed: tf.tensor1d([0, 0], 'int32') };

/** A small network with noise on the data and on units. */
function net(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [3, 2, 1] }),
      logNormalDropout({ ...noise, name: 'input_noise' }),
      noisyDense({ units: 4, activation: 'tanh', noise, kernelInitializer: initial(1) }),
      tf.layers.dense({
        units: 3,
        kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }),
        kernelInitializer: initial(2),
      }),
      tf.layers.softmax(),
    ],
  });
}

describe('stepFunction', () => {
  it('gives the gradients of cross-entropy + KL + penalties, by finite differences of the objective', () => {
    const model = net();
    const { slots } = weightLayout(model);
    const step = stepFunction(model, slots, classifies(model));
    const x = tf.randomUniform([5, 3, 2, 1], 0, 1, 'float32', 3);
    const y = tf.oneHot([0, 1, 2, 1, 0], 3).toFloat();
    const u = tf.tensor1d(Array.from({ length: noiseSize(model) }, (_, i) => (i + 0.5) / noiseSize(model)));
    const weights = slots.map(({ variable }) => tf.clone(variable.read()));
    const { gradients, loss, kl } = step(weights, batchOf(x, y, u), draws);

    const objective = (values: tf.Tensor[]): number => {
      const { loss: ce, kl: weighted } = step(values, batchOf(x, y, u), draws);
      const l2 = tf.mul(tf.sum(tf.square(values.at(-2) as tf.Tensor)), 0.01);
      return (ce.dataSync()[0] as number) + (weighted.dataSync()[0] as number) + (l2.dataSync()[0] as number);
    };
    slots.forEach((slot, k) => {
      const value = weights[k] as tf.Tensor;
      const direction = tf.randomNormal(slot.shape, 0, 1, 'float32', k + 1);
      const h = 1e-2;
      const moved = (s: number) =>
        objective(weights.map((w, i) => (i === k ? tf.add(value, tf.mul(direction, s)) : w)));
      const slope = (moved(h) - moved(-h)) / (2 * h);
      const expected = tf.sum(tf.mul(gradients[k] as tf.Tensor, direction)).dataSync()[0] as number;
      expect(Math.abs(slope - expected), slot.variable.name).toBeLessThan(2e-2 * (1 + Math.abs(slope)));
    });
    expect(Number.isFinite((loss.dataSync()[0] as number) + (kl.dataSync()[0] as number))).toBe(true);
  });

  it('has the gradient of noise on the data from the kernel that reads it: same logits as multiplying the data', () => {
    const model = net();
    const names = (of: tf.LayersModel) => readNoises(of).map((found) => found.noise.layer.name);
    expect(names(model)).toEqual(['input_noise']);
    expect(names(leNet5())).toEqual(['flatten_noise']);
    const vgg = vggLike({ scale: 1 / 32 });
    expect(names(vgg)).toEqual(Array.from({ length: 13 }, (_, i) => `noise${i + 1}`));
    vgg.getLayer('conv5').trainable = false;
    expect(names(vgg)).not.toContain('noise4');
    const { slots } = weightLayout(model);
    const x = tf.randomUniform([5, 3, 2, 1], 0, 1, 'float32', 3);
    const y = tf.oneHot([0, 1, 2, 1, 0], 3).toFloat();
    const noises = noisesOf(model);
    const u = tf.tensor1d(Array.from({ length: noiseSize(model) }, (_, i) => (i + 0.5) / noiseSize(model)));
    const { loss } = stepFunction(model, slots, classifies(model))(
      slots.map(({ variable }) => variable.read()),
      batchOf(x, y, u),
      draws,
    );
    const parts = tf.split(
      u,
      noises.map((own) => own.groups),
    );
    const thetas = new Map<Noise, tf.Tensor>(
      noises.map((own, i) => [
        own,
        tf.exp(sampleLogTheta(parts[i] as tf.Tensor, own.mu.read(), own.logSigma.read())),
      ]),
    );
    const logits = withThetas(thetas, () => headsOf(model).model.apply(x, { training: true }) as tf.Tensor);
    const expected = tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits)), -1)));
    expect(loss.dataSync()[0]).toBeCloseTo(expected.dataSync()[0] as number, 5);
  });

  it('multiplies by θ in the kernel where that is smaller: the loss and gradients of multiplying activations', () => {
    const conv = (filters: number, seed: number) =>
      tf.layers.conv2d({
        ...{ filters, kernelSize: 3, padding: 'same', activation: 'relu' },
        kernelInitializer: initial(seed),
      });
    const model = tf.sequential({
      layers: [
        logNormalDropout({ ...noise, name: 'pixels', inputShape: [8, 8, 2] }),
        conv(3, 1),
        logNormalDropout({ ...noise, name: 'a' }),
        seededDropout({ rate: 0.3, name: 'drop' }),
        tf.layers.maxPooling2d({ poolSize: 4 }),
        conv(4, 2),
        logNormalDropout({ ...noise, name: 'b' }),
        tf.layers.averagePooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        noisyDense({ units: 12, noise, name: 'c', kernelInitializer: initial(3) }),
        logNormalDropout({ ...noise, name: 'd', perExample: true }),
        tf.layers.dense({ units: 3, kernelInitializer: initial(4) }),
      ],
    });
    // of one example: pixels 128 numbers against a kernel of 54, a 192 against 108, b 16 against 48, more than two examples have
    const examples = 2;
    expect(readNoises(model).map(({ noise: { layer }, size }) => [layer.name, size])).toEqual([
      ['pixels', 128],
      ['a', 192],
      ['b', 16],
    ]);
    const { slots } = weightLayout(model);
    const x = tf.randomUniform([examples, 8, 8, 2], 0, 1, 'float32', 3);
    const y = tf.oneHot([0, 2], 3).toFloat();
    const u = tf.tensor1d(Array.from({ length: noiseSize(model) }, (_, i) => (i + 0.5) / noiseSize(model)));
    const weights = slots.map(({ variable }) => tf.clone(variable.read()));
    const given = { seed: tf.tensor1d([3, 4], 'int32') };
    const per = noisesOf(model).map(({ groups }) => groups);
    const uniforms = new Map(noisesOf(model).map((own, i) => [own, tf.split(u, per)[i] as tf.Tensor]));
    const logits = headsOf(model).model;
    const reference = (...values: tf.Tensor[]) =>
      withWeights(
        slots.map(({ variable }, i) => [variable, values[i] as tf.Tensor] as const),
        () => {
          const all = noisesOf(model);
          const thetas = new Map<Noise, tf.Tensor>(
            all.map((own) => [
              own,
              tf.exp(sampleLogTheta(uniforms.get(own) as tf.Tensor, own.mu.read(), own.logSigma.read())),
            ]),
          );
          const apply = () => logits.apply(x, { training: true }) as tf.Tensor;
          const output = withDraws(given, () => withThetas(thetas, apply));
          const loss = tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(output)), -1)));
          return all.reduce<tf.Tensor>((sum, own) => tf.add(sum, own.klTerm()), loss).asScalar();
        },
      );
    const { loss, kl, gradients } = stepFunction(model, slots, classifies(model))(
      weights,
      batchOf(x, y, u),
      given,
    );
    const total = reference(...weights).dataSync()[0] as number;
    expect(tf.add(loss, kl).dataSync()[0]).toBeCloseTo(total, 5);
    tf.grads(reference)(weights).forEach((expected, i) => {
      const apart = tf.max(tf.abs(tf.sub(expected, gradients[i] as tf.Tensor))).dataSync()[0] as number;
      const size = tf.max(tf.abs(expected)).dataSync()[0] as number;
      expect(apart, slots[i]?.variable.name).toBeLessThan(1e-4 * (1e-3 + size));
    });
  });

  it('multiplies by θ in every kernel that reads a shared noise, past a flatten too', () => {
    const conv = (name: string, seed: number, config = {}) =>
      tf.layers.conv2d({
        ...{ name, filters: 4, kernelSize: 3, padding: 'same', activation: 'relu' as const, ...config },
        kernelInitializer: initial(seed),
      });
    const stream = logNormalDropout({ ...noise, name: 'stream' });
    const on = (x: tf.SymbolicTensor, ...layers: tf.layers.Layer[]) =>
      layers.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
    const input = tf.input({ shape: [16, 16, 2] });
    const first = on(input, conv('first', 1));
    const read = on(first, stream);
    const branches = [on(read, conv('a', 2)), on(read, conv('b', 3, { kernelSize: 1 })), first];
    const sum = tf.layers.add().apply(branches) as tf.SymbolicTensor;
    const flat = on(sum, tf.layers.averagePooling2d({ poolSize: 8 }), stream, tf.layers.flatten());
    const out = on(flat, tf.layers.dense({ units: 3, name: 'out', kernelInitializer: initial(4) }));
    const model = tf.model({ inputs: input, outputs: tf.layers.softmax().apply(out) as tf.SymbolicTensor });
    const [found] = readNoises(model);
    expect(found?.kernels.map(({ name }) => name.split('/')[0])).toEqual(['a', 'b', 'out']);
    expect(found?.size).toBe(16 * 16 * 4 + 2 * 2 * 4);

    const { slots } = weightLayout(model);
    const x = tf.randomUniform([2, 16, 16, 2], 0, 1, 'float32', 3);
    const y = tf.oneHot([0, 2], 3).toFloat();
    const u = tf.tensor1d([0.1, 0.4, 0.6, 0.9]);
    const weights = slots.map(({ variable }) => tf.clone(variable.read()));
    const [own] = noisesOf(model) as [Noise];
    const logits = headsOf(model).model;
    const reference = (...values: tf.Tensor[]) =>
      withWeights(
        slots.map(({ variable }, i) => [variable, values[i] as tf.Tensor] as const),
        () => {
          const theta = tf.exp(sampleLogTheta(u, own.mu.read(), own.logSigma.read()));
          const output = withThetas(new Map([[own, theta]]), () => logits.apply(x, { training: true }));
          const loss = tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(output as tf.Tensor)), -1)));
          return tf.add(loss, own.klTerm()).asScalar();
        },
      );
    const { loss, kl, gradients } = stepFunction(model, slots, classifies(model))(
      weights,
      batchOf(x, y, u),
      draws,
    );
    expect(tf.add(loss, kl).dataSync()[0]).toBeCloseTo(reference(...weights).dataSync()[0] as number, 5);
    tf.grads(reference)(weights).forEach((expected, i) => {
      const apart = tf.max(tf.abs(tf.sub(expected, gradients[i] as tf.Tensor))).dataSync()[0] as number;
      const size = tf.max(tf.abs(expected)).dataSync()[0] as number;
      expect(apart, slots[i]?.variable.name).toBeLessThan(1e-4 * (1e-3 + size));
    });
  });
});
