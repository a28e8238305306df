import type * as tf from '@tensorflow/tfjs';
import { activated } from './activations.js';
import { type Converter, type LayerContext, op, type Parameter, weightsOf } from './layer-context.js';
import { transposed } from './transposed.js';
import {
  asChannelsFirst,
  asTfjs,
  asVector,
  imageValue,
  plainValue,
  storedOrder,
  type Value,
} from './value.js';
import { windowOf } from './window.js';

/** A convolution of an image; the kernel is ONNX's: [out, in / groups, height, width]. */
function convolved(
  context: LayerContext,
  x: Value,
  config: tf.serialization.ConfigDict,
  [name, kernel]: [name: string, kernel: Parameter],
  bias: Parameter | undefined,
  groups = 1,
): Value {
  const { graph, layer } = context;
  const image = asChannelsFirst(graph, x);
  const inputs = [image.tensor, graph.floats(`${layer.name}/${name}`, kernel.shape, kernel.data)];
  if (bias) inputs.push(graph.floats(`${layer.name}/bias`, bias.shape, bias.data));
  const { attributes, steps } = windowOf(config, kernel.shape.slice(2), x.shape);
  const tensor = op(context, 'Conv', inputs, { ...attributes, group: BigInt(groups) });
  return imageValue(tensor, [...steps, kernel.shape[0]!]);
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
  const { config, inputs } = context;
  const [kernel, bias] = kernelAndBias(context);
  const y = convolved(context, inputs[0]!, config, ['kernel', fullKernel(kernel)], bias);
  return activated(context, y, config.activation);
};

const depthwiseConv2d: Converter = (context) => {
  const { inputs } = context;
  // tfjs lets depthwise convolutions have a dilation and then leaves it out
  const config: tf.serialization.ConfigDict = { ...context.config, dilationRate: 1 };
  const [depthwise, bias] = kernelAndBias(context);
  const kernel = depthwiseKernel(depthwise);
  const y = convolved(context, inputs[0]!, config, ['depthwise_kernel', kernel], bias, depthwise.shape[2]);
  return activated(context, y, config.activation);
};

const separableConv2d: Converter = (context) => {
  const { config, inputs } = context;
  const [depthwise, pointwise, bias] = weightsOf(context);
  const kernel = depthwiseKernel(depthwise!);
  const groups = depthwise!.shape[2];
  const spread = convolved(context, inputs[0]!, config, ['depthwise_kernel', kernel], undefined, groups);
  const mix = fullKernel(pointwise!);
  const y = convolved(context, spread, { strides: 1 }, ['pointwise_kernel', mix], bias);
  return activated(context, y, config.activation);
};

const dense: Converter = (context) => {
  const { graph, layer, config, inputs, outShape } = context;
  const [kernel, bias] = kernelAndBias(context);
  const biases = bias ? [graph.floats(`${layer.name}/bias`, bias.shape, bias.data)] : [];
  const kernelOf = (data: Float32Array) => graph.floats(`${layer.name}/kernel`, kernel.shape, data);
  let y: string;
  if (outShape.length === 1) {
    const x = asVector(graph, inputs[0]!);
    // The kernel's rows move to where their inputs are: nothing moves at run time.
    const rows = kernelOf(storedOrder(kernel.data, x, kernel.shape[1]));
    y = op(context, 'Gemm', [x.tensor, rows, ...biases]);
  } else {
    y = op(context, 'MatMul', [asTfjs(graph, inputs[0]!).tensor, kernelOf(kernel.data)]);
    if (bias) y = op(context, 'Add', [y, ...biases]);
  }
  return activated(context, plainValue(y, outShape), config.activation);
};

export const linearLayers: Readonly<Record<string, Converter>> = {
  Conv2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  Dense: dense,
};
