import { batchNorm } from './batch-norm.js';
import { broadcastRows } from './broadcast.js';
import { conv2d, depthwiseConv2d } from './conv2d.js';
import { conv2dBackpropFilter } from './conv2d-backprop-filter.js';
import { conv2dBackpropInput } from './conv2d-backprop-input.js';
import { depthwiseConv2dBackpropFilter, depthwiseConv2dBackpropInput } from './depthwise-conv2d-grad.js';
import { share } from './identity.js';
import { batchMatMul, fusedMatMul } from './mat-mul.js';
import { maxPoolGrad } from './max-pool-grad.js';
import { reduce } from './reduce.js';
import { replaceKernel } from './registry.js';
import { tile } from './tile.js';
import { unsortedSegmentSum } from './unsorted-segment-sum.js';

let registered = false;

export function registerWasmKernels(): void {
  if (registered) return;
  registered = true;
  replaceKernel('BatchMatMul', batchMatMul as never);
  replaceKernel('_FusedMatMul', fusedMatMul as never);
  replaceKernel('Conv2D', conv2d('Conv2D'));
  replaceKernel('FusedConv2D', conv2d('FusedConv2D'));
  replaceKernel('DepthwiseConv2dNative', depthwiseConv2d('DepthwiseConv2dNative'));
  replaceKernel('FusedDepthwiseConv2D', depthwiseConv2d('FusedDepthwiseConv2D'));
  replaceKernel('Conv2DBackpropInput', conv2dBackpropInput as never);
  replaceKernel('Conv2DBackpropFilter', conv2dBackpropFilter as never);
  replaceKernel('DepthwiseConv2dNativeBackpropInput', depthwiseConv2dBackpropInput as never);
  replaceKernel('DepthwiseConv2dNativeBackpropFilter', depthwiseConv2dBackpropFilter as never);
  replaceKernel('UnsortedSegmentSum', unsortedSegmentSum as never);
  replaceKernel('MaxPoolGrad', maxPoolGrad as never);
  replaceKernel('Identity', share('Identity'));
  replaceKernel('Cast', share('Cast'));
  replaceKernel('FusedBatchNorm', batchNorm(broadcastRows));
  replaceKernel('Tile', tile);
  replaceKernel('Sum', reduce('Sum'));
  replaceKernel('Mean', reduce('Mean'));
  for (const name of ['Add', 'Sub', 'Multiply', 'RealDiv', 'SquaredDifference', 'Maximum', 'Minimum']) {
    replaceKernel(name, broadcastRows(name));
  }
}
