import * as tf from '@tensorflow/tfjs';
import { isTracing } from '../compile/tracing.js';
import { dtypeAttr, type NodeBackend } from './node-backend.js';

/**
 * tfjs-node's kernel reads the indices back to check their range. On CPU TensorFlow checks it too, so this one leaves it at that; on GPU, where it
 * gives zeros instead, only a graph does without the check.
 */
export function registerGather(): void {
  const stock = tf.getKernel('GatherV2', 'tensorflow').kernelFunc;
  tf.unregisterKernel('GatherV2', 'tensorflow');
  tf.registerKernel({
    kernelName: 'GatherV2',
    backendName: 'tensorflow',
    kernelFunc(args) {
      const backend = args.backend as unknown as NodeBackend;
      if (backend.isUsingGpuDevice && !isTracing()) return stock(args);
      const { x, indices } = args.inputs as Record<'x' | 'indices', tf.Tensor>;
      const { axis, batchDims } = args.attrs as { axis: number; batchDims: number };
      tf.backend_util.segment_util.collectGatherOpShapeInfo(x, indices, axis, batchDims);
      const axisTensor = tf.scalar(axis, 'int32');
      const result = backend.executeSingleOutput(
        'GatherV2',
        [
          { name: 'batch_dims', type: backend.binding.TF_ATTR_INT, value: batchDims },
          dtypeAttr(backend, 'Tparams', x.dtype),
          dtypeAttr(backend, 'Tindices', indices.dtype),
          dtypeAttr(backend, 'Taxis', 'int32'),
        ],
        [x, indices, axisTensor],
      );
      axisTensor.dispose();
      return result;
    },
  });
}
