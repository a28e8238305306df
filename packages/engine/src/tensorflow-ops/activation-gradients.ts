import * as tf from '@tensorflow/tfjs';
import { dtypeAttr, type NodeBackend } from './node-backend.js';

/**
 * ReLU's gradient in tfjs is dy · step(x), and tfjs-node composes step(x) of six operations. TensorFlow has one for it all, which
 * differs in two points: for x = NaN it is 0, not NaN, and for relu6 at exactly 6 it is 0, not dy.
 */
const gradients = { Relu: 'ReluGrad', Relu6: 'Relu6Grad' } as const;

export function registerActivationGradients(): void {
  for (const [kernelName, op] of Object.entries(gradients)) {
    tf.registerKernel({
      kernelName: op,
      backendName: 'tensorflow',
      kernelFunc: ({ inputs, backend }) => {
        const { dy, y } = inputs as Record<'dy' | 'y', tf.Tensor>;
        const node = backend as unknown as NodeBackend;
        return node.executeSingleOutput(op, [dtypeAttr(node, 'T', dy.dtype)], [dy, y]);
      },
    });
    const gradient = (dy: tf.Tensor, y: tf.Tensor) => tf.engine().runKernel(op, { dy, y }) as tf.Tensor;
    // Of the gradient itself, for gradients of gradients: linear in dy, constant almost everywhere in y.
    tf.registerGradient({
      kernelName: op,
      inputsToSave: ['y'],
      gradFunc: (ddy, [y]) => ({
        dy: () => gradient(ddy as tf.Tensor, y as tf.Tensor),
        y: () => tf.zerosLike(y as tf.Tensor),
      }),
    });
    const stock = tf.getGradient(kernelName);
    tf.registerGradient({
      kernelName,
      inputsToSave: ['x'],
      // With the output instead of the input, nothing but ReLU needs the input, and TensorFlow can fuse ReLU with what made it.
      outputsToSave: [true],
      // Gradients belong to tfjs, not to a backend, and another one may be current when they run.
      gradFunc: (dy, [x, y], attrs) =>
        tf.getBackend() === 'tensorflow'
          ? { x: () => gradient(dy as tf.Tensor, y as tf.Tensor) }
          : stock.gradFunc(dy, [x as tf.Tensor], attrs),
    });
  }
}
