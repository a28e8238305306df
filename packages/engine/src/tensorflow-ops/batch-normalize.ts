import * as tf from '@tensorflow/tfjs';
import { dtypeAttr, type NodeBackend } from './node-backend.js';

const kernelName = 'FusedBatchNormV3';
const gradientName = 'FusedBatchNormGradV3';

/** What a batch normalization in training gives. No gradient flows through the mean and the variance given here. */
export interface BatchNormalized<T extends tf.Tensor = tf.Tensor> {
  /** (x − mean) / √(variance + epsilon) · scale + offset, shaped like x. */
  y: T;
  /** [channels], over all axes but the last. */
  mean: tf.Tensor1D;
  /** [channels], divided by the number of values, as `tf.moments` does. */
  variance: tf.Tensor1D;
}

/**
 * Batch normalization by the batch's own mean and variance, over all axes but the last: one operation on tensorflow, and one for the
 * gradients, where `tf.moments` and `tf.batchNorm` make some thirty passes over x.
 *
 * @param x [..., channels], float32, of rank 2 or more
 * @param scale [channels]
 * @param offset [channels]
 * @param epsilon added to the variance
 */
export function batchNormalize<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  epsilon: number,
): BatchNormalized<T> {
  return tf.tidy(() => {
    const axes = x.shape.map((_, axis) => axis).slice(0, -1);
    const count = tf.util.sizeFromShape(x.shape.slice(0, -1));
    if (tf.getKernel(kernelName as never, tf.getBackend())) {
      const images = x.rank === 4 ? x : tf.reshape(x, [count, 1, 1, x.shape.at(-1) as number]);
      const inputs = { x: images, scale, offset };
      const [y, mean, unbiased] = tf.engine().runKernel(kernelName, inputs, { epsilon }) as tf.Tensor[];
      // TensorFlow's variance is divided by the number of values less one.
      const variance = tf.mul(unbiased as tf.Tensor, count > 1 ? (count - 1) / count : 1);
      return {
        y: (x.rank === 4 ? y : tf.reshape(y as tf.Tensor, x.shape)) as T,
        mean: constant(mean as tf.Tensor1D),
        variance: constant(variance as tf.Tensor1D),
      };
    }
    const { mean, variance } = tf.moments(x, axes);
    const y = tf.mul(tf.sub(x, mean), tf.mul(tf.rsqrt(tf.add(variance, epsilon)), scale));
    return {
      y: tf.add(y, offset) as T,
      mean: constant(mean as tf.Tensor1D),
      variance: constant(variance as tf.Tensor1D),
    };
  });
}

/** The same numbers, through which no gradient flows. */
function constant<T extends tf.Tensor>(tensor: T): T {
  const clone = tf.customGrad((x) => ({ value: (x as T).clone(), gradFunc: (dy) => tf.zerosLike(dy) }));
  return clone(tensor) as T;
}

export function registerBatchNormalize(): void {
  const attributes = (backend: NodeBackend, epsilon: number) => [
    dtypeAttr(backend, 'T', 'float32'),
    dtypeAttr(backend, 'U', 'float32'),
    { name: 'epsilon', type: backend.binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: backend.binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: backend.binding.TF_ATTR_BOOL, value: true },
  ];
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, scale, offset } = inputs as Record<'x' | 'scale' | 'offset', tf.Tensor>;
      const node = backend as unknown as NodeBackend;
      const none = tf.tensor1d([]);
      const factor = {
        name: 'exponential_avg_factor',
        type: node.binding.TF_ATTR_FLOAT,
        value: 1,
      };
      const all = [...attributes(node, attrs?.epsilon as number), factor];
      const outputs = node.executeMultipleOutputs(kernelName, all, [x, scale, offset, none, none], 6);
      none.dispose();
      return outputs;
    },
  });
  tf.registerKernel({
    kernelName: gradientName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { dy, x, scale, mean, variance, extra } = inputs as Record<string, tf.Tensor>;
      const node = backend as unknown as NodeBackend;
      const given = [dy, x, scale, mean, variance, extra] as tf.Tensor[];
      const all = attributes(node, attrs?.epsilon as number);
      const [dx, dScale, dOffset, ...unused] = node.executeMultipleOutputs(gradientName, all, given, 5);
      for (const tensor of unused) tensor.dispose();
      return [dx, dScale, dOffset] as tf.Tensor[];
    },
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: ['x', 'scale'],
    // What TensorFlow keeps for the gradient: mean and variance, on a GPU in another form, and something of cuDNN's.
    outputsToSave: [false, false, false, true, true, true],
    gradFunc: (dys, saved, attrs) => {
      const [x, scale, mean, variance, extra] = saved as tf.Tensor[];
      const [dy] = dys as tf.Tensor[];
      const inputs = { dy, x, scale, mean, variance, extra } as tf.NamedTensorMap;
      const gradients = tf.engine().runKernel(gradientName, inputs, attrs) as tf.Tensor[];
      const [dx, dScale, dOffset] = gradients as [tf.Tensor, tf.Tensor, tf.Tensor];
      return { x: () => dx, scale: () => dScale, offset: () => dOffset };
    },
  });
}
