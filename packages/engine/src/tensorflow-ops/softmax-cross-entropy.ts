import * as tf from '@tensorflow/tfjs';
import { dtypeAttr, type NodeBackend } from './node-backend.js';

const kernelName = 'SoftmaxCrossEntropyWithLogits';

/**
 * Cross-entropy −Σ labels · log softmax(logits) of each row, in nats: one operation on tensorflow. Its gradients can be
 * differentiated again.
 *
 * @param labels [rows, classes], float32, each row a distribution
 * @param logits [rows, classes], float32
 * @returns [rows]
 */
export function softmaxCrossEntropy(labels: tf.Tensor2D, logits: tf.Tensor2D): tf.Tensor1D {
  tf.util.assertShapesMatch(labels.shape, logits.shape, 'softmaxCrossEntropy: ');
  if (tf.getKernel(kernelName as never, tf.getBackend()))
    return tf.engine().runKernel(kernelName, { labels, logits });
  return tf.tidy(() => tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), 1)));
}

export function registerSoftmaxCrossEntropy(): void {
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, backend }) => {
      const { labels, logits } = inputs as Record<'labels' | 'logits', tf.Tensor>;
      const node = backend as unknown as NodeBackend;
      const attrs = [dtypeAttr(node, 'T', logits.dtype)];
      const [loss, gradient] = node.executeMultipleOutputs(kernelName, attrs, [logits, labels], 2);
      // The gradient comes with it, but not as something that can be differentiated.
      gradient?.dispose();
      return loss as tf.Tensor;
    },
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: ['labels', 'logits'],
    gradFunc: (dy, saved) => {
      const [labels, logits] = saved as [tf.Tensor2D, tf.Tensor2D];
      const column = () => tf.expandDims(dy as tf.Tensor, 1);
      return {
        labels: () => tf.mul(column(), tf.neg(tf.logSoftmax(logits))),
        logits: () => tf.mul(column(), tf.sub(tf.softmax(logits), labels)),
      };
    },
  });
}
