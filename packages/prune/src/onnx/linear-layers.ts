import type { Shape } from '../steps.js';
import { activated } from './activations.js';
import { type Converter, type LayerContext, op, type Parameter, weightsOf } from './layer-context.js';
import { transposed } from './transposed.js';
import { asChannelsFirst, asTfjs, asVector, storedOrder, type Value } from './value.js';
import { windowOf } from './window.js';

/** A convolution of an image; the kernel is ONNX's: [out, in / groups, height, width]. */
function convolved(
  context: LayerContext,
  x: Value,
  outShape: Shape,
  name: string,
  kernel: Parameter,
  bias: Parameter | undefined,
  groups = 1,
  window = windowOf(context.config, kernel.shape.slice(2), x.shape, outShape),
): Value {
  const { graph, layer } = context;
  const image = asChannelsFirst(graph, x);
  const inputs = [image.tensor, graph.floats(`${layer.name}/${name}`, kernel.shape, kernel.data)];
  if (bias) inputs.push(graph.floats(`${layer.name}/bias`, bias.shape, bias.data));
  const tensor = op(context, 'Conv', inputs, { ...window, group: BigInt(groups) });
  const [height, width, channels] = outShape as [number, number, number];
  return { tensor, stored: [channels, height, width], shape: outShape, order: 'channelsFirst' };
}

/** tfjs's [height, width, in, out]. */
const fullKernel = ({ data, shape: [height, width, inputs, outputs] }: Parameter): Parameter => ({
  shape: [outputs!, inputs!, height!, width!],
  data: transposed(data, [height!, width!, inputs!, outputs!], [3, 2, 0, 1]),
});

/** tfjs's [height, width, in, multiplier]: channel c gives channels c·m to c·m + m − 1. */
const depthwiseKernel = ({ data, shape: [height, width, inputs, multiplier] }: Parameter): Parameter => ({
  shape: [inputs! * multiplier!, 1, height!, width!],
  data: transposed(data, [height!, width!, inputs!, multiplier!], [2, 3, 0, 1]),
});

function kernelAndBias(context: LayerContext): [kernel: Parameter, bias: Parameter | undefined] {
  const [kernel, bias] = weightsOf(context);
  return [kernel!, bias];
}

const conv2d: Converter = (context) => {
  const { config, inputs, outShape } = context;
  const [kernel, bias] = kernelAndBias(context);
  const y = convolved(context, inputs[0]!, outShape, 'kernel', fullKernel(kernel), bias);
  return activated(context, y, config.activation);
};

const depthwiseConv2d: Converter = (context) => {
  const { config, inputs, outShape } = context;
  const [kernel, bias] = kernelAndBias(context);
  const [x, channels] = [inputs[0]!, inputs[0]!.shape[2]!];
  const y = convolved(context, x, outShape, 'depthwise_kernel', depthwiseKernel(kernel), bias, channels);
  return activated(context, y, config.activation);
};

const separableConv2d: Converter = (context) => {
  const { config, inputs, outShape } = context;
  const [depthwise, pointwise, bias] = weightsOf(context) as [Parameter, Parameter, ...Parameter[]];
  const channels = inputs[0]!.shape[2]!;
  const between = [outShape[0]!, outShape[1]!, pointwise.shape[2]!];
  const kernel = depthwiseKernel(depthwise);
  const spread = convolved(context, inputs[0]!, between, 'depthwise_kernel', kernel, undefined, channels);
  const y = convolved(context, spread, outShape, 'pointwise_kernel', fullKernel(pointwise), bias, 1, {});
  return activated(context, y, config.activation);
};

const dense: Converter = (context) => {
  const { graph, layer, config, inputs, outShape } = context;
  const [kernel, bias] = kernelAndBias(context);
  const result = (tensor: string): Value => ({ tensor, stored: outShape, shape: outShape, order: 'same' });
  const biases = bias ? [graph.floats(`${layer.name}/bias`, bias.shape, bias.data)] : [];
  const isVector = outShape.length === 1;
  const x = isVector ? asVector(graph, inputs[0]!) : asTfjs(graph, inputs[0]!);
  // The kernel's rows move to where their inputs are: nothing moves at run time.
  const rows = isVector ? storedOrder(kernel.data, x, kernel.shape[1]) : kernel.data;
  const operands = [x.tensor, graph.floats(`${layer.name}/kernel`, kernel.shape, rows)];
  if (isVector)
    return activated(context, result(op(context, 'Gemm', [...operands, ...biases])), config.activation);
  const product = op(context, 'MatMul', operands);
  const y = bias ? op(context, 'Add', [product, ...biases]) : product;
  return activated(context, result(y), config.activation);
};

export const linearLayers: Readonly<Record<string, Converter>> = {
  Conv2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  Dense: dense,
};
