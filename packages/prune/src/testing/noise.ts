import { noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';

/**
 * Sets a layer's noise group by group: a group above the threshold where `keep` says so, and one far below elsewhere.
 * What is kept is multiplied by between 0.3 and 0.7.
 */
export function setNoise(model: tf.LayersModel, name: string, keep: (group: number) => boolean): void {
  const noise = noisesOf(model).find(({ layer }) => layer.name === name);
  if (!noise) throw new Error(`${model.name} has no noise named ${name}`);
  const groups = Array.from({ length: noise.groups }, (_, group) => group);
  tf.tidy(() => {
    noise.mu.write(tf.tensor1d(groups.map((group) => -0.4 - 0.6 * ((group * 0.37) % 1))));
    noise.logSigma.write(tf.tensor1d(groups.map((group) => (keep(group) ? -3 : 3))));
    return [];
  });
}
