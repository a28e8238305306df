import { type Converter, op } from './layer-context.js';
import { asTfjs, plainValue, reshaped } from './value.js';

const reshape: Converter = ({ inputs, outShape }) => reshaped(inputs[0]!, outShape);

const permute: Converter = (context) => {
  const { graph, config, inputs, outShape } = context;
  const { tensor } = asTfjs(graph, inputs[0]!);
  const perm = [0, ...(config.dims as number[])];
  return plainValue(op(context, 'Transpose', [tensor], { perm }), outShape);
};

/** Only training sees these do anything. */
const passed: Converter = ({ inputs }) => inputs[0]!;

export const shapeLayers: Readonly<Record<string, Converter>> = {
  Flatten: reshape,
  Reshape: reshape,
  Permute: permute,
  Dropout: passed,
  SeededDropout: passed,
  SpatialDropout1D: passed,
  AlphaDropout: passed,
  GaussianDropout: passed,
  GaussianNoise: passed,
};
