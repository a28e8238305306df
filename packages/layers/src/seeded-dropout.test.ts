import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { withDraws } from './draws.js';
import { vggDropout, vggLike } from './nets.js';
import { reloaded } from './reloaded.test-support.js';
import { seededDropout, withDropout } from './seeded-dropout.js';
import { NoiseConfigError } from './variational.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const seed = (step = 6) => tf.tensor1d([5, step], 'int32');
const numbers = (x: tf.Tensor) => [...x.dataSync()];
const train = (layer: tf.layers.Layer | tf.LayersModel, x: tf.Tensor) =>
  layer.apply(x, { training: true }) as tf.Tensor;

describe('seededDropout', () => {
  it('makes its share of the numbers 0, keeps the mean, and does nothing at inference', () => {
    for (const rate of [0.1, 0.5, 0.9]) {
      const layer = seededDropout({ rate });
      const x = tf.ones([50, 400]);
      const y = numbers(train(layer, x));
      const stay = y.filter((value) => value !== 0);
      // five deviations of a binomial
      const tolerance = 5 * Math.sqrt((rate * (1 - rate)) / y.length);
      expect(Math.abs(1 - stay.length / y.length - rate)).toBeLessThan(tolerance);
      for (const value of stay) expect(value).toBeCloseTo(1 / (1 - rate), 5);
      expect(numbers(layer.apply(x) as tf.Tensor)).toEqual(numbers(x));
    }
  });

  it('draws by the seed of the step and by the name, the same again, and for parts of a batch what it draws for the whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(7),
        (inner, examples, cut) => {
          const from = Math.min(cut, examples - 1);
          const layer = seededDropout({ rate: 0.4, name: 'd' });
          const x = tf.ones([examples, ...inner]);
          const whole = withDraws({ seed: seed() }, () => train(layer, x));
          const rest = tf.slice(x, from);
          const part = withDraws({ seed: seed(), firstExample: from }, () => train(layer, rest));
          expect(numbers(part)).toEqual(numbers(tf.slice(whole, from)));
        },
      ),
      { numRuns: 30 },
    );
    const once = (name: string, step: number) =>
      numbers(
        withDraws({ seed: seed(step) }, () => train(seededDropout({ rate: 0.4, name }), tf.ones([20, 20]))),
      );
    expect(once('d', 1)).toEqual(once('d', 1));
    expect(once('d', 1)).not.toEqual(once('d', 2));
    expect(once('d', 1)).not.toEqual(once('e', 1));
  });

  it('passes the gradient where it passes the number', () => {
    const layer = seededDropout({ rate: 0.5 });
    const x = tf.ones([6, 7]);
    const run = (given: tf.Tensor) => withDraws({ seed: seed() }, () => train(layer, given));
    expect(numbers(tf.grad((given: tf.Tensor) => tf.sum(run(given)))(x))).toEqual(numbers(run(x)));
  });

  it.each([
    [{ rate: 1 }, /d: rate is 1; expected a number from 0 to 1, 1 excluded\./],
    [{ rate: '0.5' as unknown as number }, /d: rate is "0.5"; /],
    [{ rate: 0.5, seed: -1 }, /d: seed is -1; expected a whole number ≥ 0\./],
  ])('says of %j what is wrong', (config, line) => {
    const make = () => seededDropout({ name: 'd', ...config });
    expect(make).toThrow(NoiseConfigError);
    expect(make).toThrow(line);
  });
});

describe('dropout of vggLike', () => {
  const dropouts = (model: tf.LayersModel) =>
    Object.fromEntries(
      model.layers
        .filter((layer) => layer.getClassName() === 'SeededDropout')
        .map((layer) => [layer.name.replace('_dropout', ''), layer.getConfig().rate]),
    );

  it('stands at the published places, is saved with the model, and changes neither weights nor predictions', async () => {
    const net = (dropout: boolean) => vggLike({ scale: 0.05, noise: false, dropout });
    const [plain, dropped] = [net(false), net(true)];
    expect(dropouts(plain)).toEqual({});
    expect(dropouts(dropped)).toEqual(vggDropout);
    const again = await reloaded(dropped);
    expect(dropouts(again)).toEqual(vggDropout);
    const x = tf.randomUniform([2, 32, 32, 3], 0, 1, 'float32', 1);
    const expected = numbers(plain.predict(x) as tf.Tensor);
    expect(numbers(dropped.predict(x) as tf.Tensor)).toEqual(expected);
    expect(numbers(again.predict(x) as tf.Tensor)).toEqual(expected);
    const noisy = (model: tf.LayersModel) => withDraws({ seed: seed() }, () => numbers(train(model, x)));
    expect(noisy(again)).toEqual(noisy(dropped));
  });

  it('can be added to a network, whose weights it takes: the same as if it had been built with it', () => {
    const model = vggLike({ scale: 0.05, noise: false });
    const dropped = withDropout(model, vggDropout);
    expect(dropouts(dropped)).toEqual(vggDropout);
    expect(dropped.weights.map((w) => w.originalName)).toEqual(model.weights.map((w) => w.originalName));
    const built = vggLike({ scale: 0.05, noise: false, dropout: true });
    const x = tf.randomUniform([3, 32, 32, 3], 0, 1, 'float32', 1);
    const noisy = (one: tf.LayersModel) => withDraws({ seed: seed() }, () => numbers(train(one, x)));
    expect(noisy(dropped)).toEqual(noisy(built));
    expect(dropouts(model)).toEqual({});
    expect(() => withDropout(model, { relu99: 0.5 })).toThrow(
      /^dropout: the network has no layer relu99; there are conv1, bn1, /,
    );
  });

  it('can be added to the last layer', () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ name: 'last', units: 3, inputShape: [2] })] });
    const dropped = withDropout(model, { last: 0.5 });
    expect(dropped.outputs[0]?.name).toMatch(/last_dropout/);
    const x = tf.ones([4, 2]);
    expect(numbers(dropped.predict(x) as tf.Tensor)).toEqual(numbers(model.predict(x) as tf.Tensor));
  });
});
