import * as tf from '@tensorflow/tfjs';
import type { Said } from './losses.js';
import { withMasks } from './masks.js';

/** A model up to its outputs' logits, where it has such: a loss of logits is exact where that of rounded probabilities is not. */
export interface Heads extends OutputKinds {
  readonly model: tf.LayersModel;
  /** By output, which of the steps that `model` computed last count; undefined where all do. See `withMasks`. */
  masks(): (tf.Tensor | undefined)[];
  /** Runs `body` while the activations inside of the outputs' layers are left out. */
  without<T>(body: () => T): T;
}

/** What a model's outputs are. */
export interface OutputKinds {
  /** By output, the activation before which its logits can be had. */
  readonly before: readonly Said['before'][];
  /** By output, what its numbers have been through, here or in a nested model; undefined: neither, so they may be logits. */
  readonly ends: readonly Said['before'][];
}

interface Head {
  tensor: tf.SymbolicTensor;
  before?: Said['before'];
  /** Whose activation has to be left out. */
  inside?: WithActivation;
}

type WithActivation = tf.layers.Layer & { activation: unknown };

/** The logits of a model's outputs, where the layer that gives one ends in a softmax or a sigmoid. */
export function headsOf(model: tf.LayersModel): Heads {
  const heads = headsWithin(model);
  // what is cut off passes masks on
  const { outputs: tensors, masks } = withMasks(
    model,
    heads.map(({ tensor }) => tensor),
  );
  const inside = heads.flatMap((head) => head.inside ?? []);
  const none = inside.length > 0 ? linear() : undefined;
  return {
    // a tf.Sequential does not report its layers' losses, the model inside it does
    model: tf.model({
      inputs: model.inputs,
      outputs: tensors.length === 1 ? (tensors[0] as tf.SymbolicTensor) : tensors,
    }),
    ...kindsOf(model, heads),
    masks,
    without(body) {
      if (inside.length === 0) return body();
      const activations = inside.map(({ activation }) => activation);
      for (const layer of inside) layer.activation = none;
      try {
        return body();
      } finally {
        inside.forEach((layer, i) => {
          layer.activation = activations[i];
        });
      }
    },
  };
}

/** The same as {@link headsOf} says of the outputs, without a model of their logits. */
export const outputKinds = (model: tf.LayersModel): OutputKinds => kindsOf(model, headsWithin(model));

const headsWithin = (model: tf.LayersModel) => model.outputs.map((output) => headOf(model, output));

const kindsOf = (model: tf.LayersModel, heads: readonly Head[]): OutputKinds => ({
  before: heads.map(({ before }) => before),
  ends: outputEnds(model),
});

function headOf(model: tf.LayersModel, tensor: tf.SymbolicTensor): Head {
  const layer = tensor.sourceLayer;
  const { activation, axis } = layer.getConfig();
  // used elsewhere as well, it is more than a head
  const isRead = layer.outboundNodes.some(({ outboundLayer }) => model.layers.includes(outboundLayer));
  const isHead =
    layer.inboundNodes.length === 1 &&
    !isRead &&
    model.outputs.filter((each) => each === tensor).length === 1;
  if (!isHead) return { tensor };
  const input = layer.inboundNodes[0]?.inputTensors[0] as tf.SymbolicTensor;
  const kind = layer.getClassName();
  if (kind === 'Softmax' && (axis === -1 || axis === tensor.shape.length - 1))
    return { tensor: input, before: 'softmax' };
  if (activation !== 'softmax' && activation !== 'sigmoid') return { tensor };
  if (kind === 'Activation') return { tensor: input, before: activation };
  return INSIDE.has(kind) ? { tensor, before: activation, inside: layer as WithActivation } : { tensor };
}

function endOf(tensor: tf.SymbolicTensor): Said['before'] {
  const layer = tensor.sourceLayer;
  if (layer instanceof tf.LayersModel)
    return endOf(layer.outputs[tensor.outputTensorIndex ?? 0] as tf.SymbolicTensor);
  const { activation } = layer.getConfig();
  if (layer.getClassName() === 'Softmax' || activation === 'softmax') return 'softmax';
  return activation === 'sigmoid' ? 'sigmoid' : undefined;
}

/** Layers that do nothing after their activation. */
const INSIDE = new Set([
  'Dense',
  'NoisyDense',
  'Conv1D',
  'Conv2D',
  'NoisyConv2D',
  'Conv3D',
  'Conv2DTranspose',
  'SeparableConv2D',
  'DepthwiseConv2D',
]);

const linear = () => (tf.layers.activation({ activation: 'linear' }) as unknown as WithActivation).activation;

/** What the numbers of each of a model's outputs have been through at the end: a softmax, a sigmoid, or neither. */
export const outputEnds = (model: tf.LayersModel): Said['before'][] => model.outputs.map(endOf);
