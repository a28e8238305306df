import { truncatedLogNormal } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { logNormalDropout } from './log-normal-dropout.js';
import { leNet5, leNetFc, vggLike } from './nets.js';
import { type Noise, noiseOf, noisesOf, withThetas } from './noise.js';
import { noisyConv2d } from './noisy-conv2d.js';
import { noisyDense } from './noisy-dense.js';
import { reloaded } from './reloaded.test-support.js';
import { NoiseConfigError } from './variational.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const largest = (x: tf.Tensor) => tf.max(tf.abs(x)).dataSync()[0] as number;
const theta = (n: number) => tf.tensor1d(Array.from({ length: n }, (_, i) => 0.2 + i / n));
const noise = (model: tf.LayersModel, index = 0) => noisesOf(model)[index] as Noise;

/** Sets a layer's μ and log σ. */
function setNoise({ mu, logSigma }: Noise, mus: number[], logSigmas: number[]): void {
  mu.write(tf.tensor1d(mus));
  logSigma.write(tf.tensor1d(logSigmas));
}

describe('noise folded into weights', () => {
  const cases: [string, () => tf.LayersModel, number[]][] = [];
  for (const padding of ['valid', 'same'] as const)
    for (const activation of ['linear', 'relu', 'tanh'] as const)
      for (const useBias of [true, false])
        cases.push([
          `conv ${padding} ${activation} bias ${useBias}`,
          () =>
            tf.sequential({
              layers: [
                noisyConv2d({
                  filters: 3,
                  kernelSize: 3,
                  strides: 2,
                  padding,
                  activation,
                  useBias,
                  inputShape: [7, 6, 2],
                }),
              ],
            }),
          [4, 7, 6, 2],
        ]);
  for (const [batch, units] of [
    [4, 8],
    [64, 3],
  ] as const)
    cases.push([
      `dense of ${units} at batch ${batch}`,
      () => tf.sequential({ layers: [noisyDense({ units, activation: 'sigmoid', inputShape: [9] })] }),
      [batch, 9],
    ]);

  it.each(cases)('%s: activation(θ ⊙ (linear + bias)), values and gradients', (_name, build, shape) => {
    const model = build();
    const layer = model.layers[0] as tf.layers.Layer & { activation: { apply(x: tf.Tensor): tf.Tensor } };
    layer.setWeights(layer.getWeights().map((w) => tf.randomNormal(w.shape, 0, 0.5, 'float32', 7)));
    const own = noise(model);
    const given = theta(own.groups);
    const config = layer.getConfig();
    const weights = (layer.getWeights() as tf.Tensor[]).slice(0, config.useBias === false ? 1 : 2);
    const x = tf.randomNormal(shape, 0, 1, 'float32', 3);
    const plainForm = (t: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor) => {
      const linear =
        shape.length === 4
          ? tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 2, config.padding as 'valid')
          : tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
      return layer.activation.apply(tf.mul(bias ? tf.add(linear, bias) : linear, t));
    };
    const folded = (t: tf.Tensor) =>
      withThetas(new Map([[own, t]]), () => model.apply(x, { training: true }) as tf.Tensor);
    expect(largest(tf.sub(folded(given), plainForm(given, ...(weights as [tf.Tensor]))))).toBeLessThan(1e-5);
    const dTheta = tf.grad((t) => tf.sum(tf.square(folded(t))))(given);
    const expected = tf.grad((t) => tf.sum(tf.square(plainForm(t, ...(weights as [tf.Tensor])))))(given);
    expect(largest(tf.sub(dTheta, expected))).toBeLessThan(1e-4 * (1 + largest(expected)));
  });
});

describe('logNormalDropout', () => {
  it('multiplies by E θ at inference, and by 0 where the SNR is not above the threshold', () => {
    const model = tf.sequential({ layers: [logNormalDropout({ inputShape: [2, 3] })] });
    setNoise(noise(model), [-0.5, -3, 0], [-2, 3, -5]);
    const expected = [truncatedLogNormal.mean(-0.5, -2), 0, truncatedLogNormal.mean(0, -5)];
    const output = model.predict(tf.ones([1, 2, 3])) as tf.Tensor;
    expect(largest(tf.sub(output, tf.tensor(expected)))).toBeLessThan(1e-6);
    expect(truncatedLogNormal.snr(-3, 3)).toBeLessThan(1);
    setNoise(noise(model), [-1, -3, 0], [-2, 3, -5]);
    expect(largest(tf.sub(model.predict(tf.ones([1, 2, 3])) as tf.Tensor, output))).toBeGreaterThan(0.1);
  });

  it('draws one θ a mini-batch, or one an example', () => {
    for (const perExample of [false, true]) {
      const model = tf.sequential({
        layers: [logNormalDropout({ inputShape: [4, 3], perExample, logSigmaInit: 0 })],
      });
      const rows = tf.unstack(model.apply(tf.ones([2, 4, 3]), { training: true }) as tf.Tensor3D);
      const [a, b] = rows as [tf.Tensor, tf.Tensor];
      expect(largest(tf.sub(a, b)) > 1e-3).toBe(perExample);
      expect(largest(tf.sub(tf.slice(a, 0, 1), tf.slice(a, 3, 1)))).toBe(0);
    }
  });

  it('draws differ from step to step, and start again with the seed', () => {
    const draws = () => {
      const model = tf.sequential({
        layers: [logNormalDropout({ name: 'n', inputShape: [3], logSigmaInit: 0 })],
      });
      return [1, 2].map(() => (model.apply(tf.ones([1, 3]), { training: true }) as tf.Tensor).arraySync());
    };
    const [first, second] = [draws(), draws()];
    expect(first).toEqual(second);
    expect(first[0]).not.toEqual(first[1]);
  });

  it('is trained by compile and fit alone, and survives saving and loading', async () => {
    const N = 256;
    // only the first of four inputs carries signal
    const x = tf.randomNormal([N, 4], 0, 1, 'float32', 1);
    const y = tf
      .sign(tf.slice(x, [0, 0], [N, 1]))
      .mul(0.5)
      .add(0.5);
    const model = tf.sequential({
      layers: [
        logNormalDropout({ inputShape: [4], trainExamples: N, klWeight: 3, logSigmaInit: -1 }),
        noisyDense({ units: 8, activation: 'relu', noise: { trainExamples: N } }),
        tf.layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.03), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const before = tf.memory().numTensors;
    const history = await model.fit(x, y, { epochs: 60, batchSize: 64, verbose: 0, shuffle: false });
    expect(tf.memory().numTensors - before).toBeLessThan(40); // the optimizer's own moments
    expect(history.history.acc?.at(-1)).toBeGreaterThan(0.9);
    const { multiplier } = noiseOf(model.layers[0] as tf.layers.Layer) ?? { multiplier: [] };
    expect(multiplier[0]).toBeGreaterThan(0.2);
    expect([...multiplier].slice(1).filter((m) => m === 0).length).toBeGreaterThanOrEqual(2);

    const loaded = await reloaded(model);
    expect(largest(tf.sub(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor))).toBe(0);
    expect(noise(loaded).trainExamples).toBe(N);
    expect(noise(loaded).config).toEqual(noise(model).config);
  });

  it('names the layer, the setting and what to do when it cannot work', () => {
    expect(() => logNormalDropout({ name: 'x', klWeight: -1 })).toThrow(
      new NoiseConfigError(`x: klWeight is -1; expected a number ≥ 0 or 'macs'.`),
    );
    expect(() => logNormalDropout({ bounds: { a: 0, b: 0 } })).toThrow(/bounds is .*expected finite a < b/);
    const { inputs, outputs } = tf.sequential({ layers: [logNormalDropout({ name: 'n', inputShape: [3] })] });
    expect(() => tf.model({ inputs, outputs }).calculateLosses()).toThrow(/n: trainExamples is not set/);
  });
});

describe('a KL that a training loop leaves out', () => {
  const net = () =>
    tf.sequential({
      layers: [
        logNormalDropout({ name: 'n', inputShape: [3], trainExamples: 10 }),
        tf.layers.dense({ units: 1 }),
      ],
    });
  const warnings = async (body: (model: tf.LayersModel) => unknown) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await body(net());
    const said = warn.mock.calls.map(([line]) => String(line));
    warn.mockRestore();
    return said;
  };
  const x = () => tf.ones([2, 3]);

  it('is warned about, once', async () => {
    const said = await warnings((model) => {
      for (let step = 0; step < 50; step++) tf.tidy(() => model.apply(x(), { training: true }) as tf.Tensor);
    });
    expect(said).toEqual([
      expect.stringMatching(/^n: its noise was drawn 20 times .* model\.calculateLosses\(\)/),
    ]);
  });

  it('is nothing of fit, of a loop that adds it, or of inference', async () => {
    const fitted = (model: tf.LayersModel) => {
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      return model.fit(x(), tf.ones([2, 1]), { epochs: 30, verbose: 0 });
    };
    const looped = (model: tf.LayersModel) => {
      const { inputs, outputs } = model;
      const whole = tf.model({ inputs, outputs });
      for (let step = 0; step < 30; step++)
        tf.tidy(() =>
          tf.add(
            tf.sum(whole.apply(x(), { training: true }) as tf.Tensor),
            whole.calculateLosses()[0] as tf.Tensor,
          ),
        );
    };
    const predicted = (model: tf.LayersModel) => {
      for (let step = 0; step < 30; step++) tf.dispose(model.predict(x()));
    };
    for (const body of [fitted, looped, predicted]) expect(await warnings(body)).toEqual([]);
  });
});

describe("klWeight 'macs'", () => {
  const weights = (model: tf.LayersModel) =>
    noisesOf(model).map((n) => {
      n.trainExamples = 1;
      return n.klFactor;
    });

  it('weighs a group by the multiply-accumulates it owns, the cheapest layer at 1', () => {
    const noiseConfig = { klWeight: 'macs' } as const;
    // LeNet-5: conv1 14,400 + 80,000, conv2 32,000 + 8,000, flatten 500, dense1 800 + 10
    expect(weights(leNet5({ noise: noiseConfig }))).toEqual([94400 / 500, 40000 / 500, 1, 810 / 500]);
    // LeNet-fc: 500; 784 + 300; 500 + 10
    expect(weights(leNetFc({ noise: { ...noiseConfig, klScale: 2 } }))).toEqual([
      2,
      2 * (1084 / 500),
      2 * (510 / 500),
    ]);
  });

  it('sees through batch norm, activations and pooling', () => {
    const [conv1] = weights(vggLike({ scale: 0.125, noise: { klWeight: 'macs' } }));
    const own = 32 * 32 * 9 * 3 + 32 * 32 * 9 * 8;
    const cheapest = 64 + 10; // dense 1: 64 inputs, 10 readers
    expect(conv1).toBeCloseTo(own / cheapest, 6);
  });
});

describe('nets', () => {
  it('have the published widths and weights', () => {
    const weightsOf = (model: tf.LayersModel) => model.countParams();
    expect(weightsOf(leNet5({ noise: false }))).toBe(520 + 25050 + 400500 + 5010);
    expect(weightsOf(leNetFc({ noise: false }))).toBe(392500 + 150300 + 3010);
    expect(weightsOf(leNet5()) - weightsOf(leNet5({ noise: false }))).toBe(2 * (20 + 50 + 800 + 500));
    expect(noisesOf(vggLike({ scale: 0.25 })).map((n) => n.groups)).toEqual([
      16, 16, 32, 32, 64, 64, 64, 128, 128, 128, 128, 128, 128, 128,
    ]);
  });

  it('start from the same weights for the same seed, with noise or without', () => {
    const kernel = (model: tf.LayersModel, name: string) => model.getLayer(name).getWeights()[0] as tf.Tensor;
    const [a, b, c] = [leNet5({ seed: 3 }), leNet5({ seed: 3, noise: false }), leNet5({ seed: 4 })];
    expect(largest(tf.sub(kernel(a, 'conv2'), kernel(b, 'conv2')))).toBe(0);
    expect(largest(tf.sub(kernel(a, 'conv2'), kernel(c, 'conv2')))).toBeGreaterThan(0.01);
  });
});
