import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { withDraws } from './draws.js';
import { groupCounts } from './group-counts.js';
import { reloaded } from './reloaded.test-support.js';
import { sparseVdConv2d, sparseVdDense, variationalWeightsOf } from './sparse-vd.js';
import { withWeights } from './substitute.js';
import { NoiseConfigError, variationalsOf } from './variational.js';
import { sparseVdKl, type VariationalWeights } from './variational-weights.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const largest = (x: tf.Tensor) => tf.max(tf.abs(x)).dataSync()[0] as number;
const seed = () => tf.tensor1d([5, 6], 'int32');
const vdOf = (model: tf.LayersModel, index = 0) =>
  variationalWeightsOf(model.layers[index] as tf.layers.Layer) as VariationalWeights;
const vd = { trainExamples: 100, logSigma2Init: -2 };

function fill(model: tf.LayersModel): void {
  model.setWeights(
    model.weights.map((weight, i) => {
      const mean = weight.originalName.endsWith('log_sigma2') ? -2 : 0;
      return tf.randomNormal(weight.shape as number[], mean, 0.5, 'float32', i + 1);
    }),
  );
}

const nets: [string, () => tf.LayersModel][] = [
  [
    'conv',
    () => {
      const config = { filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' } as const;
      return tf.sequential({ layers: [sparseVdConv2d({ ...config, vd, inputShape: [5, 4, 2] })] });
    },
  ],
  [
    'conv without bias',
    () => {
      const config = { filters: 2, kernelSize: 2, useBias: false } as const;
      return tf.sequential({ layers: [sparseVdConv2d({ ...config, vd, inputShape: [5, 4, 2] })] });
    },
  ],
  [
    'dense',
    () => tf.sequential({ layers: [sparseVdDense({ units: 3, activation: 'tanh', vd, inputShape: [6] })] }),
  ],
  [
    'dense on a sequence',
    () => tf.sequential({ layers: [sparseVdDense({ units: 3, vd, inputShape: [4, 6] })] }),
  ],
];

describe.each(nets)('sparse variational dropout: %s', (_name, build) => {
  const input = (model: tf.LayersModel, examples: number) => {
    const shape = model.inputs[0]?.shape.slice(1) as number[];
    return tf.randomNormal([examples, ...shape], 0, 1, 'float32', 9);
  };

  it('is the stock layer at inference, with 0 where log α is above 3', () => {
    const model = build();
    fill(model);
    const { layer, logSigma2 } = vdOf(model);
    logSigma2.write(
      tf.tensor(logSigma2.read().shape.length ? evenOdd(logSigma2) : [], layer.kernel.shape as number[]),
    );
    const theta = layer.kernel.read();
    const alpha = tf.div(tf.exp(logSigma2.read()), tf.square(theta));
    const masked = tf.mul(theta, tf.lessEqual(alpha, Math.exp(3)).toFloat());
    const zeros = masked.dataSync().filter((w) => w === 0).length;
    expect(zeros).toBeGreaterThan(0);
    expect(zeros).toBeLessThan(masked.size);
    const { vd: _, ...config } = layer.getConfig();
    const stock = layer.getClassName().endsWith('Dense')
      ? tf.layers.dense(config as never)
      : tf.layers.conv2d(config as never);
    const plain = tf.sequential({ layers: [stock] });
    plain.setWeights([masked, ...(layer.bias ? [layer.bias.read()] : [])]);
    const x = input(model, 4);
    const difference = tf.sub(model.predict(x) as tf.Tensor, plain.predict(x) as tf.Tensor);
    expect(largest(difference)).toBeLessThan(1e-6);
  });

  it('draws the pre-activation with the mean and variance that noisy weights give it, for each example', () => {
    const model = build();
    fill(model);
    const { layer, logSigma2 } = vdOf(model);
    (layer as { activation: unknown }).activation = {
      apply: (x: tf.Tensor) => x,
      getClassName: () => 'linear',
    };
    const examples = 2000;
    const one = input(model, 1);
    const x = tf.tile(one, [examples, ...one.shape.slice(1).map(() => 1)]);
    const { mean, variance } = tf.moments(model.apply(x, { training: true }) as tf.Tensor, 0);
    const theta = layer.kernel.read();
    const sigma2 = tf.exp(logSigma2.read()).dataSync();
    const given = (kernel: tf.Tensor) =>
      withWeights(
        [
          [layer.kernel, kernel],
          [logSigma2, tf.fill(theta.shape, -100)],
        ],
        () => tf.squeeze(model.apply(one) as tf.Tensor, [0]),
      );
    // the output is linear in the weights: Var = Σ σ² (∂output/∂w)², one weight after the other
    const without = given(tf.zeros(theta.shape));
    const expected = [...sigma2].reduce<tf.Tensor>((sum, s2, i) => {
      const unit = tf.reshape(tf.oneHot([i], sigma2.length).toFloat(), theta.shape);
      return tf.add(sum, tf.mul(tf.square(tf.sub(given(unit), without)), s2));
    }, tf.scalar(0));
    const error = tf.div(tf.sub(mean, given(theta)), tf.sqrt(expected));
    expect(largest(error)).toBeLessThan(5 / Math.sqrt(examples));
    expect(largest(tf.sub(tf.div(variance, expected), 1))).toBeLessThan(5 * Math.sqrt(2 / examples));
  });

  it('has the gradients of loss and KL, by finite differences', () => {
    const model = build();
    fill(model);
    const x = input(model, 3);
    const variables = model.layers[0]?.trainableWeights as tf.LayerVariable[];
    const objective = (x: tf.Tensor, ...weights: tf.Tensor[]) =>
      withWeights(
        variables.map((variable, i) => [variable, weights[i] as tf.Tensor] as const),
        () =>
          withDraws({ seed: seed() }, () => {
            const output = model.apply(x, { training: true }) as tf.Tensor;
            return tf.add(tf.sum(tf.square(output)), tf.mul(vdOf(model).klTerm(), 30)).asScalar();
          }),
      );
    const values = [x, ...variables.map((variable) => variable.read())];
    const gradients = tf.grads(objective)(values);
    values.forEach((value, k) => {
      const direction = tf.randomNormal(value.shape, 0, 1, 'float32', k + 20);
      const h = 2e-3;
      const moved = (s: number) =>
        objective(
          ...(values.map((v, i) => (i === k ? tf.add(v, tf.mul(direction, s)) : v)) as [tf.Tensor]),
        ).dataSync()[0] as number;
      const slope = (moved(h) - moved(-h)) / (2 * h);
      const expected = tf.sum(tf.mul(gradients[k] as tf.Tensor, direction)).dataSync()[0] as number;
      expect(Math.abs(slope - expected), `${k}`).toBeLessThan(2e-2 * (1 + Math.abs(slope)));
    });
  });

  it('draws from the seed given: other numbers for other seeds, a share of the batch its own', () => {
    const model = build();
    fill(model);
    const x = input(model, 5);
    const run = (part: tf.Tensor, seed: tf.Tensor1D, firstExample = 0) =>
      withDraws({ seed, firstExample }, () => model.apply(part, { training: true }) as tf.Tensor);
    const whole = run(x, seed());
    expect(largest(tf.sub(run(x, seed()), whole))).toBe(0);
    for (const other of [
      [5, 7],
      [6, 6],
    ])
      expect(largest(tf.sub(run(x, tf.tensor1d(other, 'int32')), whole))).toBeGreaterThan(0.05);
    const [head, tail] = tf.split(x, [2, 3]) as [tf.Tensor, tf.Tensor];
    const parts = tf.concat([run(head, seed()), run(tail, seed(), 2)]);
    expect(largest(tf.sub(parts, whole))).toBeLessThan(1e-6);
    // its own draws, one after another
    const own = () => model.apply(x, { training: true }) as tf.Tensor;
    expect(largest(tf.sub(own(), own()))).toBeGreaterThan(0.05);
  });
});

/** Half of the values far above, half far below. */
function evenOdd(variable: tf.LayerVariable): Float32Array {
  const size = variable.read().size;
  return Float32Array.from({ length: size }, (_, i) => (i % 2 ? 4 : -8));
}

describe('sparseVdKl', () => {
  const at = (theta: number, logSigma2: number) =>
    sparseVdKl(tf.scalar(theta), tf.scalar(logSigma2)).dataSync()[0] as number;

  it('is the published approximation, falling in α to 0', () => {
    const published = (la: number) =>
      0.63576 * (1 - 1 / (1 + Math.exp(-(1.8732 + 1.48695 * la)))) + 0.5 * Math.log1p(Math.exp(-la));
    for (let la = -12; la <= 8; la += 0.5) expect(at(0.1, la + Math.log(0.01))).toBeCloseTo(published(la), 4);
    expect(at(1e-3, 6)).toBeLessThan(1e-3);
  });

  it('is summed over weights', () => {
    const both = sparseVdKl(tf.tensor1d([0.1, 2]), tf.tensor1d([-3, -4])).dataSync()[0];
    expect(both).toBeCloseTo(at(0.1, -3) + at(2, -4), 5);
  });

  it('and its gradient are finite everywhere, and the gradient is 0 past log α = 8', () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(0), fc.float({ noNaN: true, min: -10, max: 10 })),
        fc.float({ noNaN: true, min: -40, max: 10 }),
        (theta, logSigma2) => {
          const inputs = [tf.scalar(theta), tf.scalar(logSigma2)];
          const gradients = tf.grads((t, s) => sparseVdKl(t, s))(inputs);
          const [dTheta, dSigma] = gradients.map((g) => g.dataSync()[0] as number) as [number, number];
          expect(Number.isFinite(at(theta, logSigma2) + dTheta + dSigma)).toBe(true);
          if (logSigma2 - Math.log(theta ** 2 + 1e-16) > 8.001)
            expect([dTheta, dSigma].map(Math.abs)).toEqual([0, 0]);
          else expect(dSigma).toBeLessThanOrEqual(0);
        },
      ),
    ));
});

describe('models with sparse variational dropout', () => {
  it('are trained by compile and fit alone, lose the inputs that say nothing, and survive saving and loading', async () => {
    const N = 256;
    const x = tf.randomNormal([N, 6], 0, 1, 'float32', 1);
    const y = tf.greater(tf.sum(tf.slice(x, [0, 0], [N, 2]), 1, true), 0).toFloat();
    const settings = { trainExamples: N, klScale: 3, logSigma2Init: -4 };
    const initial = (seed: number) => tf.initializers.glorotUniform({ seed });
    const model = tf.sequential({
      layers: [
        sparseVdDense({
          name: 'd1',
          units: 8,
          activation: 'relu',
          inputShape: [6],
          vd: settings,
          kernelInitializer: initial(1),
        }),
        sparseVdDense({
          name: 'd2',
          units: 1,
          activation: 'sigmoid',
          vd: settings,
          kernelInitializer: initial(2),
        }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.03), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const before = tf.memory().numTensors;
    const history = await model.fit(x, y, { epochs: 80, batchSize: 64, verbose: 0, shuffle: false });
    expect(tf.memory().numTensors - before).toBeLessThan(40); // the optimizer's own moments
    expect(history.history.acc?.at(-1)).toBeGreaterThan(0.9);
    const inputs = groupCounts(model).find(({ name }) => name === 'd1/inputs');
    expect(inputs?.total).toBe(6);
    expect(inputs?.kept).toBeLessThanOrEqual(4);
    const rows = tf.sum(tf.abs(vdOf(model).sparseKernel()), 1).dataSync();
    expect(Math.min(...rows.slice(0, 2))).toBeGreaterThan(0.3);
    expect(Math.max(...rows.slice(2))).toBeLessThan(0.2 * Math.min(...rows.slice(0, 2)));

    const loaded = await reloaded(model);
    expect(largest(tf.sub(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor))).toBe(0);
    expect(variationalsOf(loaded).map(({ trainExamples }) => trainExamples)).toEqual([N, N]);
    expect(vdOf(loaded).config).toEqual(vdOf(model).config);
  });

  it('name the layer and the setting that is wrong', () => {
    const make = (settings: object, config: object = {}) =>
      sparseVdDense({ units: 1, name: 'd', inputShape: [2], vd: settings, ...config });
    expect(() => make({ klWeight: -1 })).toThrow(
      new NoiseConfigError('d: klWeight is -1; expected a number ≥ 0.'),
    );
    expect(() => make({ klScale: '2' })).toThrow(/d: klScale is "2"/);
    expect(() => make({ threshold: Number.NaN })).toThrow(/d: threshold is null|NaN/);
    expect(() => make({ trainExamples: 0 })).toThrow(/d: trainExamples is 0; expected a number > 0/);
    const model = tf.sequential({ layers: [make({})] });
    expect(() => vdOf(model).klTerm()).toThrow(/d: trainExamples is not set/);
    const first = sparseVdConv2d({
      name: 'c',
      filters: 1,
      kernelSize: 1,
      dataFormat: 'channelsFirst',
      inputShape: [1, 2, 2],
    });
    const channelsFirst = tf.sequential({ layers: [first] });
    expect(() => channelsFirst.apply(tf.ones([1, 1, 2, 2]), { training: true })).toThrow(/c: dataFormat/);
  });
});
