import type { Noise } from '@sbp/layers';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';

/**
 * Puts a random half of each noise's groups far below the threshold, and the others far above it at multipliers of 0.3 to 0.7, so that a scale that is lost
 * shows. Of an odd number the greater half stays.
 */
export function drown(noises: readonly Noise[], seed: number): void {
  for (const [stream, noise] of noises.entries()) {
    const draws = philox(seed, stream);
    const gone = new Set(draws.permutation(0, noise.groups).subarray(0, Math.floor(noise.groups / 2)));
    const levels = Array.from(draws.uniforms(0, new Float32Array(noise.groups)), (u) =>
      Math.log(0.3 + 0.4 * u),
    );
    tf.tidy(() => {
      noise.mu.write(tf.tensor1d(levels));
      noise.logSigma.write(tf.tensor1d(levels.map((_, group) => (gone.has(group) ? 3 : -3))));
    });
  }
}
