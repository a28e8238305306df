import * as tf from '@tensorflow/tfjs';
import { dtypeAttr, type NodeBackend } from './node-backend.js';

/**
 * ReLU's gradient in tfjs is dy · step(x), and tfjs-node composes step(x) of six operations. TensorFlow has one for it all, which
 * differs in three points: for x = NaN it is 0, not NaN, and for relu6 at exactly 6 it is 0, not dy.
 */
const gradients = { Relu: 'ReluGrad', Relu6: 'Relu6Grad' } as const;

export function registerActivationGradients(): void {
  for (const [kernelName, op] of Object.entries(gradients)) {
    tf.registerKernel({
      kernelName: op,
      backendName: 'tensorflow',
      kernelFunc: ({ inputs, backend }) => {
        const { dy, x } = inputs as Record<'dy' | 'x', tf.Tensor>;
        const node = backend as unknown as NodeBackend;
        return node.executeSingleOutput(op, [dtypeAttr(node, 'T', dy.dtype)], [dy, x]);
      },
    });
    const gradient = (dy: tf.Tensor, x: tf.Tensor) => tf.engine().runKernel(op, { dy, x }) as tf.Tensor;
    // Of the gradient itself, for gradients of gradients: linear in dy, constant almost everywhere in x.
    tf.registerGradient({
      kernelName: op,
      inputsToSave: ['x'],
      gradFunc: (ddy, [x]) => ({
        dy: () => gradient(ddy as tf.Tensor, x as tf.Tensor),
        x: () => tf.zerosLike(x as tf.Tensor),
      }),
    });
    const stock = tf.getGradient(kernelName);
    tf.registerGradient({
      ...stock,
      kernelName,
      // Gradients belong to tfjs, not to a backend, and another one may be current when they run.
      gradFunc: (dy, [x], attrs) =>
        tf.getBackend() === 'tensorflow'
          ? { x: () => gradient(dy as tf.Tensor, x as tf.Tensor) }
          : stock.gradFunc(dy, [x as tf.Tensor], attrs),
    });
  }
}
