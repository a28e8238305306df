import { asTfjs, everyStep, type Mask, plainValue, type Value } from '../graph/value.js';
import { type Converter, type LayerContext, type LayerEntries, maskTensor, op } from './context.js';

type Masks = readonly (Mask | undefined)[];

/** A step counts where all of the masks leave it. */
export const allOf = (context: LayerContext, masks: Masks): Mask | undefined => joined(context, masks, 'And');

function joined(context: LayerContext, masks: Masks, opType: 'And' | 'Or'): Mask | undefined {
  const given = masks.filter((mask) => mask !== undefined);
  const lost = given.find((mask) => typeof mask !== 'string' && mask !== everyStep);
  if (lost) return lost;
  const tensors = given.filter((mask) => typeof mask === 'string');
  const hasEvery = tensors.length < given.length;
  if (hasEvery && (opType === 'Or' || tensors.length === 0)) return everyStep;
  if (tensors.length === 0) return undefined;
  return tensors.reduce((a, b) => (a === b ? a : op(context, opType, [a, b])));
}

const withMask =
  (maskOf: (context: LayerContext) => Mask | undefined): Converter =>
  (context) => ({ ...context.inputs[0]!, mask: maskOf(context) });

/** 0 at the steps that the mask leaves out. */
const zeroMasked = (context: LayerContext): Value => {
  const { graph, inputs, masks } = context;
  const mask = maskTensor(context, masks[0]);
  if (mask === undefined) return inputs[0]!;
  const x = asTfjs(graph, inputs[0]!);
  // 1 is ONNX's float32
  const counts = op(context, 'Unsqueeze', [op(context, 'Cast', [mask], { to: 1n }), graph.ints([2])]);
  return plainValue(op(context, 'Mul', [x.tensor, counts]), x.shape);
};

/** Layers of @sbp/model that are about masks alone. */
export const maskLayers: LayerEntries = {
  StopMask: { convert: withMask(() => undefined), integers: true },
  FullMask: { convert: withMask(() => everyStep), integers: true },
  JoinMasks: {
    convert: withMask((context) =>
      joined(context, context.masks.slice(1), context.config.op === 'all' ? 'And' : 'Or'),
    ),
    integers: true,
  },
  ZeroMasked: { convert: zeroMasked, readsMask: true },
};
