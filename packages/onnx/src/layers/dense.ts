import { asTfjs, asVector, imageValue, isImage, plainValue, storedOrder } from '../graph/value.js';
import { activated } from './activations.js';
import { type Converter, type LayerEntries, op, type Parameter, weight, weightsOf } from './context.js';
import { fullKernel } from './images/convolutions.js';

const dense: Converter = (context) => {
  const { graph, config, inputs, outShape } = context;
  const [kernel, bias] = weightsOf(context) as [Parameter, Parameter?];
  const biases = bias ? [weight(context, 'bias', bias)] : [];
  const [given] = inputs as [(typeof inputs)[0]];
  if (given.shape.length === 1) {
    const x = asVector(graph, given);
    // The kernel's rows move to where their inputs are: nothing moves at run time.
    const rows = storedOrder(kernel.data, x, kernel.shape[1]);
    const y = op(context, 'Gemm', [
      x.tensor,
      weight(context, 'kernel', { ...kernel, data: rows }),
      ...biases,
    ]);
    return activated(context, plainValue(y, outShape), config.activation);
  }
  if (isImage(given)) {
    // One pixel at a time, and the channels stay where they are.
    const ones = Array<number>(given.shape.length - 1).fill(1);
    const pixel = fullKernel({ ...kernel, shape: [...ones, ...kernel.shape] });
    const y = op(context, 'Conv', [given.tensor, weight(context, 'kernel', pixel), ...biases], {
      kernel_shape: ones,
    });
    return activated(
      context,
      imageValue(y, [...given.shape.slice(0, -1), kernel.shape[1]!]),
      config.activation,
    );
  }
  let y = op(context, 'MatMul', [asTfjs(graph, given).tensor, weight(context, 'kernel', kernel)]);
  if (bias) y = op(context, 'Add', [y, ...biases]);
  const shape = [...given.shape.slice(0, -1), kernel.shape[1]!];
  return activated(context, plainValue(y, shape), config.activation);
};

export const denseLayers: LayerEntries = { Dense: { convert: dense, timewise: true } };
