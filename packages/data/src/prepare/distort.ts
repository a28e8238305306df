import { philox } from '@sbp/math';
import type { Augmentation } from '../dataset/dataset.js';
import type { Draw } from './draw.js';

/** What is done to one example; places and sizes are shares of height and width, so that images and masks of any size go together. */
export interface Distortion {
  mirrored: boolean;
  /** How far the image is moved up and to the left, −1/8 … 1/8. */
  down: number;
  right: number;
  color?: { contrast: number; saturation: number; brightness: number };
  /** Centre of the square that is cut out, 0 … 1. */
  cutout?: { down: number; right: number };
}

const SHIFT = 1 / 8;
const COLOR = 0.2;
const CUTOUT = 1 / 4;

/** Keeps the distortions apart from the order of examples, the labels, the noise and the tutorial's distortions of the same seed. */
const stream = 0x64697374; // 'dist'

/** The distortion of each example: a pure function of seed, epoch and example. */
export function distortionsOf(
  augment: readonly Augmentation[],
  { seed, epoch }: Draw,
): (index: number) => Distortion {
  const generator = philox(seed, stream);
  // Each has its own places, so that naming one more leaves the others as they are.
  const u = new Float32Array(8);
  const around = (uniform: number, most: number) => most * (2 * uniform - 1);
  const has = (name: Augmentation) => augment.includes(name);
  const [flip, crop, color, cutout] = [has('flip'), has('crop'), has('color'), has('cutout')];
  return (index) => {
    generator.uniforms(epoch * 2 ** 32 + index, u);
    return {
      mirrored: flip && u[0]! < 0.5,
      down: crop ? around(u[1]!, SHIFT) : 0,
      right: crop ? around(u[2]!, SHIFT) : 0,
      ...(color && {
        color: {
          contrast: 1 + around(u[3]!, COLOR),
          saturation: 1 + around(u[4]!, COLOR),
          brightness: 255 * around(u[5]!, COLOR),
        },
      }),
      ...(cutout && { cutout: { down: u[6]!, right: u[7]! } }),
    };
  };
}

/** [height, width, channels] */
type ImageShape = readonly [height: number, width: number, channels: number];

/** Mirrors and moves an image or a mask; what comes in from outside is mirrored at the edge. */
export function move(
  values: ArrayLike<number>,
  from: number,
  [height, width, channels]: ImageShape,
  { mirrored, down, right }: Distortion,
  out: { [i: number]: number },
  at: number,
): void {
  const [rows, columns] = [Math.round(down * height), Math.round(right * width)];
  // By column of what is written: where it is from, within a row.
  const sources = Int32Array.from(
    { length: width },
    (_, x) => channels * inside((mirrored ? width - 1 - x : x) + columns, width),
  );
  for (let y = 0, to = at; y < height; y++) {
    const row = from + inside(y + rows, height) * width * channels;
    for (let x = 0; x < width; x++)
      for (let pixel = row + sources[x]!, end = pixel + channels; pixel < end; ) out[to++] = values[pixel++]!;
  }
}

/** The place that lies where `i` is when a row of `length` goes on mirrored at both ends; `i` is less than `length` outside. */
function inside(i: number, length: number): number {
  const mirrored = i < 0 ? -1 - i : i;
  return mirrored < length ? mirrored : 2 * length - 1 - mirrored;
}

/** Changes colours and cuts out, in place, in an image of numbers 0 … 255 (cutting out: of any numbers). */
export function recolor(
  image: Float32Array,
  [height, width, channels]: ImageShape,
  { color, cutout }: Distortion,
): void {
  if (color) changeColor(image, channels, color);
  if (!cutout) return;
  const means = channelMeans(image, channels);
  // At least one pixel, whatever the size.
  const range = (centre: number, length: number) => {
    const side = Math.max(1, Math.round(CUTOUT * height));
    const first = Math.round(centre * length - side / 2);
    return [Math.max(0, first), Math.min(length, first + side)] as const;
  };
  const [top, bottom] = range(cutout.down, height);
  const [left, right] = range(cutout.right, width);
  for (let y = top; y < bottom; y++)
    for (let x = left, at = (y * width + left) * channels; x < right; x++)
      for (let c = 0; c < channels; c++) image[at++] = means[c]!;
}

function changeColor(
  image: Float32Array,
  channels: number,
  { contrast, saturation, brightness }: NonNullable<Distortion['color']>,
): void {
  const means = channelMeans(image, channels);
  // Contrast and brightness are one multiplication and one addition by channel.
  const shifts = means.map((mean) => mean * (1 - contrast) + brightness);
  const grey = channels === 3 ? (1 - saturation) / 3 : 0;
  const kept = channels === 3 ? saturation : 1;
  for (let at = 0; at < image.length; at += channels) {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const value = image[at + c]! * contrast + shifts[c]!;
      image[at + c] = value;
      sum += value;
    }
    for (let c = 0; c < channels; c++) {
      const value = image[at + c]! * kept + sum * grey;
      image[at + c] = Math.min(255, Math.max(0, value));
    }
  }
}

function channelMeans(image: Float32Array, channels: number): Float32Array {
  const sums = new Float64Array(channels);
  for (let at = 0; at < image.length; at += channels)
    for (let c = 0; c < channels; c++) sums[c]! += image[at + c]!;
  return Float32Array.from(sums, (sum) => sum / (image.length / channels));
}
