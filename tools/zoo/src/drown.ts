import type { Noise } from '@sbp/layers';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';

/**
 * Bounds of log θ that leave room above 1: with half of its inputs gone every layer would hand on a weaker signal, until the last saw nothing of the image but biases,
 * and whatever the cut did to it would stay unseen.
 */
export const bounds = { a: -20, b: 1 };

/**
 * Puts a random half of each noise's groups far below the threshold, and the others far above it at multipliers of 0.95 to 1.45, which make up for
 * most of the half that goes without a softmax that knows but one class; a scale that is lost shows, too. Of an odd number the greater half stays. The noise has {@link bounds}.
 */
export function drown(noises: readonly Noise[], seed: number): void {
  for (const [stream, noise] of noises.entries()) {
    const draws = philox(seed, stream);
    const gone = new Set(draws.permutation(0, noise.groups).subarray(0, Math.floor(noise.groups / 2)));
    const levels = Array.from(draws.uniforms(0, new Float32Array(noise.groups)), (u) =>
      Math.log(0.95 + 0.5 * u),
    );
    tf.tidy(() => {
      noise.mu.write(tf.tensor1d(levels));
      noise.logSigma.write(tf.tensor1d(levels.map((_, group) => (gone.has(group) ? 3 : -3))));
    });
  }
}
