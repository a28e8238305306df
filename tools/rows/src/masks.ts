import { join } from 'node:path';
import { createDataset, type Numbers } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { type Draws, draws } from './draws.js';
import { writeNpz } from './npz.js';
import type { Row } from './row.js';

const side = 32;
const pixels = side * side;

/** Noisy grey images of discs and rectangles; the mask is where the discs are. */
export const masks: Row = {
  name: 'masks',
  sizes: { train: 600, test: 200 },
  data(seed, sizes) {
    const part = (name: 'train' | 'test', stream: number) => {
      const draw = draws(seed, stream);
      const images = new Uint8Array(sizes[name] * pixels);
      const found = new Uint8Array(sizes[name] * pixels);
      for (let i = 0; i < sizes[name]; i++)
        scene(
          draw,
          images.subarray(i * pixels, (i + 1) * pixels),
          found.subarray(i * pixels, (i + 1) * pixels),
        );
      return createDataset({
        name,
        inputs: [{ name: 'image', shape: [side, side, 1], values: images }],
        targets: [
          { name: 'mask', kind: 'classes', shape: [side, side], values: found, classes: ['other', 'disc'] },
        ],
      });
    };
    return { train: part('train', 1), test: part('test', 2) };
  },
  async write({ train, test }, folder) {
    const to = join(folder, 'data.npz');
    await writeNpz(to, {
      image_train: { shape: [side, side, 1], values: train.inputs[0]?.values as Numbers },
      mask_train: { shape: [side, side], values: train.targets[0]?.values as Numbers },
      image_test: { shape: [side, side, 1], values: test.inputs[0]?.values as Numbers },
      mask_test: { shape: [side, side], values: test.targets[0]?.values as Numbers },
    });
    return to;
  },
  model(seed) {
    let layer = 10 * seed;
    const convolution = (x: tf.SymbolicTensor, filters: number) => {
      layer++;
      const kernelInitializer = tf.initializers.heNormal({ seed: layer });
      const conv = tf.layers.conv2d({
        ...{ filters, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer },
        name: `conv${layer - 10 * seed}`,
      });
      const normalized = tf.layers.batchNormalization({ momentum: 0.9 }).apply(conv.apply(x));
      return tf.layers.reLU().apply(normalized) as tf.SymbolicTensor;
    };
    const twice = (x: tf.SymbolicTensor, filters: number) => convolution(convolution(x, filters), filters);
    const halved = (x: tf.SymbolicTensor) =>
      tf.layers.maxPooling2d({ poolSize: 2 }).apply(x) as tf.SymbolicTensor;
    const joined = (low: tf.SymbolicTensor, high: tf.SymbolicTensor) =>
      tf.layers
        .concatenate()
        .apply([
          tf.layers.upSampling2d({ size: [2, 2] }).apply(low) as tf.SymbolicTensor,
          high,
        ]) as tf.SymbolicTensor;
    const image = tf.input({ shape: [side, side, 1], name: 'image' });
    const scaled = tf.layers.rescaling({ scale: 1 / 255 }).apply(image) as tf.SymbolicTensor;
    const fine = twice(scaled, 8);
    const middle = twice(halved(fine), 16);
    const coarse = twice(halved(middle), 32);
    const up = convolution(joined(coarse, middle), 16);
    const last = convolution(joined(up, fine), 8);
    const mask = tf.layers.conv2d({
      ...{ filters: 1, kernelSize: 1, activation: 'sigmoid', name: 'mask' },
      kernelInitializer: tf.initializers.glorotUniform({ seed: 10 * seed }),
    });
    return tf.model({ inputs: image, outputs: mask.apply(last) as tf.SymbolicTensor });
  },
  training: { epochs: 8, batchSize: 32, learningRate: 5e-3 },
  flags: [],
};

/** Two or three discs and as many rectangles, each of its own grey, on a slope of grey, under noise; later ones hide earlier ones. */
function scene({ uniform, normal, below }: Draws, image: Uint8Array, mask: Uint8Array): void {
  const [ground, slopeX, slopeY] = [60 + 60 * uniform(), 40 * uniform() - 20, 40 * uniform() - 20];
  const grey = Float32Array.from(
    image,
    (_, at) => ground + (slopeX * (at % side)) / side + (slopeY * Math.floor(at / side)) / side,
  );
  for (let shape = 4 + below(3); shape > 0; shape--) {
    const isDisc = shape % 2 === 0;
    const [x, y, wide, high] = [below(side), below(side), 3 + 5 * uniform(), 3 + 5 * uniform()];
    const shade = 120 + 100 * uniform();
    for (let at = 0; at < pixels; at++) {
      const [dx, dy] = [(at % side) - x, Math.floor(at / side) - y];
      const inside = isDisc ? dx * dx + dy * dy < wide * wide : Math.abs(dx) < wide && Math.abs(dy) < high;
      if (!inside) continue;
      grey[at] = shade;
      mask[at] = isDisc ? 1 : 0;
    }
  }
  for (let at = 0; at < pixels; at++)
    image[at] = Math.max(0, Math.min(255, Math.round((grey[at] as number) + 18 * normal())));
}
