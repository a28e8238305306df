import { philox } from '@sbp/math';
import type { Draw } from './draw.js';

/** Black pixels around an image before it is cropped. */
const PAD = 2;

/** How much is left of differences from the channel's mean: from, to. */
const CONTRAST = [0.2, 1.8] as const;

/** Keeps the distortions apart from the order of examples, the labels and the noise of the same seed. */
const augmentStream = 0x6175676d; // 'augm'

/** What is done to one image. */
export interface TutorialDistortion {
  /** The crop's place below and to the right of the image's own, −2 … 2. */
  down: number;
  right: number;
  mirrored: boolean;
  contrast: number;
}

export const undistorted: TutorialDistortion = { down: 0, right: 0, mirrored: false, contrast: 1 };

/** The distortion of each example, as `distorted_inputs` of TensorFlow's CIFAR-10 tutorial; a pure function of seed, epoch and example. */
export function tutorialDistortions({ seed, epoch }: Draw): (index: number) => TutorialDistortion {
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
 * Distorts and standardises the image of bytes at place `image` of `images` into `out`, from place `at` on, in the order [row, column, channel].
 *
 * Two passes over the crop: sums of pixels and of their squares by channel, which are whole numbers and so exact, say what the distorted image's mean
 * and deviation will be; then each value is the pixel times one number plus another.
 */
export function standardizeImage(
  images: Uint8Array,
  image: number,
  [height, width, channels]: readonly [number, number, number],
  { down, right, mirrored, contrast }: TutorialDistortion,
  out: Float32Array,
  at: number,
): void {
  const [row, pixels] = [width * channels, height * width];
  const means = new Float64Array(channels);
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
