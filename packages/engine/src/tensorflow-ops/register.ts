import { registerActivationGradients } from './activation-gradients.js';
import { registerBatchNormalize } from './batch-normalize.js';
import { registerGather } from './gather.js';
import { currentNodeBackend, type NodeBackend } from './node-backend.js';
import { registerSoftmaxCrossEntropy } from './softmax-cross-entropy.js';
import { registerStatelessRandom } from './stateless-random.js';

const done = new WeakSet<NodeBackend>();

/**
 * Gives the tensorflow backend, when it is tfjs's current one, kernels and gradients that are TensorFlow's own where tfjs-node's are composed of
 * many operations or read tensors back, or that tfjs-node hasn't got.
 */
export function registerTensorflowOps(): void {
  const backend = currentNodeBackend();
  if (!backend || done.has(backend)) return;
  done.add(backend);
  registerGather();
  registerActivationGradients();
  registerSoftmaxCrossEntropy();
  registerBatchNormalize();
  registerStatelessRandom();
}
