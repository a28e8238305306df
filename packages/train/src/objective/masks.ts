import * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';

/** Tensors of a model with what of them is masked. */
export interface Masked {
  /** In the place of the tensors as a model's outputs, the same numbers. */
  readonly outputs: tf.SymbolicTensor[];
  /** After they have been computed: by tensor its mask, true at steps that count; undefined where it has none. Once. */
  masks(): (tf.Tensor | undefined)[];
}

/**
 * tfjs has masks only while it computes. It tells them to layers, so one behind each tensor can keep them.
 *
 * @param model whose tensors they are
 */
export function withMasks(model: tf.LayersModel, tensors: readonly tf.SymbolicTensor[]): Masked {
  if (!hasMasks(model)) return { outputs: [...tensors], masks: () => tensors.map(() => undefined) };
  const readers = tensors.map(() => new ReadMask());
  const outputs = tensors.map((tensor, i) => {
    const reader = readers[i] as ReadMask;
    const output = reader.apply(tensor) as tf.SymbolicTensor;
    // what reads a layer is asked elsewhere, and this is no part of the model
    const { outboundNodes } = tensor.sourceLayer;
    outboundNodes.splice(
      0,
      outboundNodes.length,
      ...outboundNodes.filter((node) => node.outboundLayer !== reader),
    );
    return output;
  });
  return { outputs, masks: () => readers.map((reader) => reader.taken()) };
}

/** Its input; keeps the mask that comes with it, and gives none on. */
class ReadMask extends tf.layers.Layer {
  static className = 'ReadMask';
  private mask: tf.Tensor | undefined;
  constructor() {
    super({ trainable: false });
    this.supportsMasking = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override computeMask(inputs: tf.Tensor | tf.Tensor[], masks?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const mask = Array.isArray(masks) ? masks[0] : masks;
    const [input] = [inputs].flat();
    // asked of tensors without values, too; tfjs frees its own once all is computed, and what else was made by then
    if (input instanceof tf.Tensor) {
      this.mask?.dispose();
      this.mask = mask instanceof tf.Tensor ? tf.keep(mask.clone()) : undefined;
    }
    return null as unknown as tf.Tensor;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return ([inputs].flat()[0] as tf.Tensor).clone();
  }
  taken(): tf.Tensor | undefined {
    const mask = this.mask?.clone();
    this.mask?.dispose();
    this.mask = undefined;
    return mask;
  }
}

/** Layers that give a mask where none came in. */
const beginsMask = (layer: tf.layers.Layer): boolean =>
  ['Masking', 'FullMask'].includes(layer.getClassName()) ||
  (layer.getClassName() === 'Embedding' && layer.getConfig().maskZero === true);

/** Whether there are masks in a model, nested ones included. */
export const hasMasks = ({ layers }: tf.LayersModel): boolean =>
  layers.some((layer) => (layer instanceof tf.LayersModel ? hasMasks(layer) : beginsMask(layer)));

/**
 * tfjs lets no mask into a nested model, and none out of it.
 *
 * @throws TrainError for an output that has one in Keras, which is so lost
 */
export function checkMasks(model: tf.LayersModel, names: readonly string[]): void {
  if (!hasMasks(model)) return;
  for (const [i, output] of model.outputs.entries())
    if (stateOf(output, new Map()) === 'lost')
      throw new TrainError(
        `the output '${names[i]}' has a mask that tfjs loses in a nested model, so that padding would count in the loss; put the nested model's layers into the model itself.`,
      );
}

type State = 'none' | 'masked' | 'lost';

/** @param known what has been found out in the model that the tensor is in; of its inputs, where it is nested */
function stateOf(tensor: tf.SymbolicTensor, known: Map<tf.SymbolicTensor, State>): State {
  const state = known.get(tensor) ?? found(tensor, known);
  known.set(tensor, state);
  return state;
}

function found(tensor: tf.SymbolicTensor, known: Map<tf.SymbolicTensor, State>): State {
  const layer = tensor.sourceLayer;
  // steps are masked, and rows have none
  if (tensor.rank < 3 || ['StopMask', 'InputLayer'].includes(layer.getClassName())) return 'none';
  if (beginsMask(layer)) return 'masked';
  const isModel = layer instanceof tf.LayersModel;
  if (!isModel && !layer.supportsMasking) return 'none';
  const states = tensor.inputs.map((input) => stateOf(input, known));
  if (isModel) {
    const inner = new Map(layer.inputs.map((input, i) => [input, states[i] as State]));
    const said = stateOf(layer.outputs[tensor.outputTensorIndex ?? 0] as tf.SymbolicTensor, inner);
    return said === 'none' ? 'none' : 'lost';
  }
  return states.find((state) => state === 'lost') ?? states.find((state) => state === 'masked') ?? 'none';
}
