import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { compile } from './compile.js';
import { describeOnTensorflow } from './tensorflow.test-support.js';

const shapes = { w1: [3, 3, 1, 4], b1: [4], w2: [3, 3, 4, 6], b2: [6], w3: [24, 10], b3: [10] };
const names = Object.keys(shapes) as (keyof typeof shapes)[];
type Weights = Record<keyof typeof shapes, tf.Tensor>;
interface State {
  w: Weights;
  m: Weights;
  v: Weights;
  t: tf.Tensor;
}
const record = (of: (name: keyof typeof shapes) => tf.Tensor) =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Weights;
const initial = (): State => ({
  w: record((name) => tf.randomNormal(shapes[name], 0, 0.2, 'float32', name.charCodeAt(1))),
  m: record((name) => tf.zeros(shapes[name])),
  v: record((name) => tf.zeros(shapes[name])),
  t: tf.scalar(0),
});

function step(
  { w, m, v, t }: State,
  images: tf.Tensor,
  labels: tf.Tensor,
  noise: tf.Tensor,
  rate: tf.Tensor,
) {
  const layer = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) =>
    tf.maxPool(
      tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid'), bias)) as tf.Tensor4D,
      2,
      2,
      'valid',
    );
  const loss = (...weights: tf.Tensor[]) => {
    const [w1, b1, w2, b2, w3, b3] = weights as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const features = tf.reshape(layer(tf.mul(layer(images, w1, b1), noise), w2, b2), [-1, 24]);
    return tf.losses.softmaxCrossEntropy(labels, tf.add(tf.matMul(features, w3), b3)) as tf.Scalar;
  };
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => w[name]));
  const next = tf.add(t, 1);
  const scaled = tf.mul(rate, tf.div(tf.sqrt(tf.sub(1, tf.pow(0.999, next))), tf.sub(1, tf.pow(0.9, next))));
  const g = record((name) => grads[names.indexOf(name)] as tf.Tensor);
  const first = record((name) => tf.add(tf.mul(m[name], 0.9), tf.mul(g[name], 0.1)));
  const second = record((name) => tf.add(tf.mul(v[name], 0.999), tf.mul(tf.square(g[name]), 0.001)));
  const weights = record((name) =>
    tf.sub(w[name], tf.mul(scaled, tf.div(first[name], tf.add(tf.sqrt(second[name]), 1e-7)))),
  );
  return { state: { w: weights, m: first, v: second, t: next }, loss: value };
}

describeOnTensorflow('a training step of a convolutional network with Adam', () => {
  it('is the same for 20 steps eager, compiled, and compiled with its state inside', () => {
    const batch = (i: number) =>
      [
        tf.randomUniform([16, 14, 14, 1], 0, 1, 'float32', i),
        tf.oneHot(tf.randomUniform([16], 0, 10, 'int32', i), 10).toFloat(),
        tf.randomUniform([4], 0.5, 1.5, 'float32', i + 100),
        tf.scalar(i < 10 ? 0.01 : 0.001),
      ] as const;
    const fed = compile(step);
    const inside = compile(step, { state: initial() });
    let [eager, compiled] = [initial(), initial()];
    for (let i = 0; i < 20; i++) {
      const inputs = batch(i);
      const results = [step(eager, ...inputs), fed(compiled, ...inputs)] as const;
      [eager, compiled] = [results[0].state, results[1].state];
      const losses = [...results, inside(...inputs)].map(({ loss }) => loss.dataSync()[0] as number);
      expect(Math.abs((losses[1] as number) - (losses[0] as number))).toBeLessThan(1e-6);
      expect(Math.abs((losses[2] as number) - (losses[0] as number))).toBeLessThan(1e-6);
    }
    const kept = inside.state();
    for (const part of ['w', 'm', 'v'] as const) {
      for (const name of names) {
        for (const other of [compiled, kept]) {
          const apart = tf.max(tf.abs(tf.sub(eager[part][name], other[part][name]))).dataSync()[0];
          expect({ part, name, close: (apart as number) < 1e-6 }).toEqual({ part, name, close: true });
        }
      }
    }
    expect(kept.t.dataSync()[0]).toBe(20);
    fed.dispose();
    inside.dispose();
  });
});
