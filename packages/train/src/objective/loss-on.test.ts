import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { classifies, halves, smallNet } from '../testing.js';
import { lossOn } from './loss-on.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('is the mean cross-entropy of the examples, by the model at inference, with gradients', () => {
  const [model, data] = [smallNet(), halves(20)];
  const [labels, images] = [data.targets[0]!, data.inputs[0]!].map(({ values }) =>
    Array.from(values as Uint8Array),
  );
  const loss = lossOn(data, classifies(model));
  const indices = Uint32Array.of(3, 7, 11);
  const size = 8 * 8;
  const x = tf.tensor(
    Float32Array.from(
      [...indices].flatMap((i) => images!.slice(i * size, (i + 1) * size)),
      (pixel) => pixel / 255,
    ),
    [3, 8, 8, 1],
  );
  const said = (model.predict(x) as tf.Tensor).arraySync() as number[][];
  const wanted = said.reduce((sum, each, i) => sum - Math.log(each[labels![indices[i]!]!]!), 0) / 3;
  expect(tf.tidy(() => loss(model, indices).dataSync()[0])).toBeCloseTo(wanted, 5);
  const kernel = model.getLayer('d').trainableWeights[0]!.read() as tf.Variable;
  const { grads } = tf.variableGrads(() => loss(model, indices).asScalar(), [kernel]);
  expect(grads[kernel.name]!.abs().max().dataSync()[0]).toBeGreaterThan(0);
});
