import type * as tf from '@tensorflow/tfjs';
import { type LayerUse, type MacsTable, product } from './layer-use.js';

/** Entries of a layer's kernels, which are the first of its weights. */
const entries = ({ weights }: tf.layers.Layer, kernels = 1) =>
  weights.slice(0, kernels).reduce((sum, { shape }) => sum + product(shape), 0);

/** Pixels of a tensor with channels. */
function positions({ layer }: LayerUse, shape: readonly number[]): number {
  return product(layer.getConfig().dataFormat === 'channelsFirst' ? shape.slice(1) : shape.slice(0, -1));
}

/** Every kernel entry is used once for each output pixel; a kernel of a group has its own inputs only, so groups need nothing else. */
const convolution = (use: LayerUse) => positions(use, use.outputs[0]!) * entries(use.layer);
/** Depthwise kernel, then pointwise, both at the output's pixels. */
const separable = (use: LayerUse) => positions(use, use.outputs[0]!) * entries(use.layer, 2);
/** Every kernel entry is used once for each input pixel, which it spreads; what falls over the edge is counted. */
const transposed = (use: LayerUse) => positions(use, use.inputs[0]!) * entries(use.layer);

/** Layers that multiply by a kernel. */
export const kernels: MacsTable = {
  Conv1D: convolution,
  Conv2D: convolution,
  Conv3D: convolution,
  DepthwiseConv2D: convolution,
  SeparableConv2D: separable,
  Conv2DTranspose: transposed,
  Conv3DTranspose: transposed,
  GeneralConv1D: convolution,
  GeneralConv2D: convolution,
  GeneralConv3D: convolution,
  GeneralDepthwiseConv2D: convolution,
  GeneralConv2DTranspose: transposed,
  GeneralConv3DTranspose: transposed,
  Dense: ({ layer, outputs: [output] }) => product(output!.slice(0, -1)) * entries(layer),
};
