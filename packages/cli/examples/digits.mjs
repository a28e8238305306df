// 2,000 of MNIST's images to train on and 1,000 to test on, as `sbp compress --data` takes a module.
import { loadMnist } from '@sbp/data';

const mnist = await loadMnist();

const part = ({ inputs: [image], targets: [label] }, examples) => ({
  x: { shape: [examples, 28, 28, 1], dtype: 'uint8', data: image.values.subarray(0, examples * 28 * 28) },
  y: label.values.subarray(0, examples),
});

export const train = part(mnist.train, 2000);
export const test = part(mnist.test, 1000);
