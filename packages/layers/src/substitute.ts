import type * as tf from '@tensorflow/tfjs';

/**
 * Runs `body` while each layer variable reads as the tensor given for it, then puts the variables back, also after
 * an error. It makes a stock layer a function of its weights: gradients reach whatever the tensors came from.
 * Shapes must be those of the variables.
 */
export function withWeights<T>(weights: Iterable<readonly [tf.LayerVariable, tf.Tensor]>, body: () => T): T {
  const replaced: [{ val: tf.Tensor }, tf.Tensor][] = [];
  try {
    for (const [variable, tensor] of weights) {
      const slot = variable as unknown as { val: tf.Tensor };
      replaced.push([slot, slot.val]);
      slot.val = tensor;
    }
    return body();
  } finally {
    for (const [slot, value] of replaced.reverse()) slot.val = value;
  }
}
