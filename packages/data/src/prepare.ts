import { philox } from '@sbp/math';
import { DataError } from './data-error.js';
import type { Dataset } from './dataset.js';

/** Where a training step's draws come from: the same seed, epoch and example give the same pixels to the bit. */
export interface Draw {
  /** An integer in [0, 2⁵³). */
  seed: number;
  /** An integer in [0, 2²¹). */
  epoch: number;
}

/** Black pixels around an image before it is cropped. */
const PAD = 2;

/** How much is left of differences from the channel's mean: from, to. */
const CONTRAST = [0.2, 1.8] as const;

/** Keeps the distortions apart from the order of examples, the labels and the noise of the same seed. */
const augmentStream = 0x6175676d; // 'augm'

/** Every byte as float32 `byte / 255`: a table is quicker than a division a pixel and rounds the same. */
const units = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** What is done to one image. */
interface Distortion {
  /** The crop's place below and to the right of the image's own, −2 … 2. */
  down: number;
  right: number;
  mirrored: boolean;
  contrast: number;
}

const none: Distortion = { down: 0, right: 0, mirrored: false, contrast: 1 };

/** Writes the image `index` of a dataset into `out`, from place `at` on, in the order [row, column, channel]. */
type WriteImage = (dataset: Dataset, index: number, out: Float32Array, at: number) => void;

/**
 * @param draw of a training step; left out, nothing is distorted
 * @throws DataError for a preparation that there is not
 */
export function imageWriter({ name, prepare }: Dataset, draw?: Draw): WriteImage {
  if (prepare === undefined) return unit;
  if (prepare !== 'standardize' && prepare !== 'augment')
    throw new DataError(
      `dataset '${name}': expected prepare 'standardize', 'augment' or none, found '${prepare}'`,
    );
  if (!draw || prepare === 'standardize')
    return (dataset, index, out, at) => standardize(dataset, index, none, out, at);
  const distortion = distortions(draw);
  return (dataset, index, out, at) => standardize(dataset, index, distortion(index), out, at);
}

function unit({ images, shape }: Dataset, index: number, out: Float32Array, at: number): void {
  const pixels = shape[0] * shape[1] * shape[2];
  for (let from = index * pixels, end = from + pixels; from < end; ) out[at++] = units[images[from++]!]!;
}

/** The distortion of each example; a pure function of seed, epoch and example. */
export function distortions({ seed, epoch }: Draw): (index: number) => Distortion {
  const generator = philox(seed, augmentStream);
  const u = new Float32Array(4);
  const shift = (uniform: number) => ((uniform * (2 * PAD + 1)) | 0) - PAD;
  const [least, most] = CONTRAST;
  return (index) => {
    const [down, right, side, contrast] = generator.uniforms(
      epoch * 2 ** 32 + index,
      u,
    ) as unknown as number[];
    return {
      down: shift(down!),
      right: shift(right!),
      mirrored: side! < 0.5,
      contrast: least + (most - least) * contrast!,
    };
  };
}

/**
 * Two passes over the crop: sums of pixels and of their squares by channel, which are whole numbers and so exact, say what the distorted image's mean
 * and deviation will be; then each value is the pixel times one number plus another.
 */
function standardize(
  { images, shape: [height, width, channels] }: Dataset,
  index: number,
  { down, right, mirrored, contrast }: Distortion,
  out: Float32Array,
  at: number,
): void {
  const [row, pixels] = [width * channels, height * width];
  const means = new Float64Array(channels);
  const image = index * pixels * channels;
  // The part of the image that is in the crop.
  const [top, bottom] = [Math.max(0, down), Math.min(height, height + down)];
  const [left, end] = [Math.max(0, right), Math.min(width, width + right)];
  let mean = 0;
  let variance = 0;
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    let squares = 0;
    for (let y = top; y < bottom; y++) {
      const start = image + y * row + channel;
      const stop = start + end * channels;
      // Of one row, as int32.
      let rowSum = 0;
      let rowSquares = 0;
      for (let from = start + left * channels; from < stop; from += channels) {
        const pixel = images[from]!;
        rowSum = (rowSum + pixel) | 0;
        rowSquares = (rowSquares + Math.imul(pixel, pixel)) | 0;
      }
      sum += rowSum;
      squares += rowSquares;
    }
    means[channel] = sum / pixels;
    mean += sum / pixels / channels;
    // Rounding must not make a sum of squares negative; whole numbers below 2⁵³ aren't rounded.
    const deviations = Math.max(0, pixels * squares - sum * sum) / pixels ** 2;
    variance += (contrast ** 2 * deviations) / channels;
  }
  for (const each of means) variance += (each - mean) ** 2 / channels;
  const scale = 1 / Math.max(Math.sqrt(variance), 1 / Math.sqrt(pixels * channels));
  const step = mirrored ? -channels : channels;
  // Where the image's column 0 comes to lie.
  const first = mirrored ? (width - 1 + right) * channels : -right * channels;
  for (let channel = 0; channel < channels; channel++) {
    const factor = contrast * scale;
    const black = (means[channel]! * (1 - contrast) - mean) * scale;
    if (down !== 0 || right !== 0)
      for (let to = at + channel; to < at + pixels * channels; to += channels) out[to] = black;
    for (let y = top; y < bottom; y++) {
      const start = image + y * row + channel;
      let to = at + (y - down) * row + first + left * step + channel;
      const stop = start + end * channels;
      for (let from = start + left * channels; from < stop; from += channels) {
        out[to] = factor * images[from]! + black;
        to += step;
      }
    }
  }
}
