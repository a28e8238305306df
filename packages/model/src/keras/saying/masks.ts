import type { Tensor } from '../build/tensor.js';
import type { LayerUse } from './entry.js';

/** What reads masks, with one of its own: tfjs would hand it another's. */
export function ownMask(use: LayerUse, on: readonly Tensor[] = use.inputs): readonly Tensor[] {
  const [first, ...others] = on;
  if (!use.masks || first!.masked) return on;
  return [use.add('FullMask', {}, { on: [first!], suffix: 'mask', masked: true })[0]!, ...others];
}

/**
 * A join of tensors of which some have masks: the masks are kept from it, since tfjs's joins get them wrong, and joined as Keras does.
 *
 * @param add the join of these tensors
 */
export function joined(
  use: LayerUse,
  inputs: readonly Tensor[],
  add: (on: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] {
  const masked = inputs.filter((tensor) => tensor.masked);
  if (masked.length === 0) return add(inputs);
  const plain = inputs.map((tensor, i) =>
    tensor.masked
      ? use.add('StopMask', {}, { on: [tensor], suffix: `unmasked_${i}`, masked: false })[0]!
      : tensor,
  );
  const output = add(plain);
  // Keras 3 drops the mask where an input has none.
  if (use.keras === 3 && masked.length < inputs.length) return output;
  const op = use.keras === 3 ? 'any' : 'all';
  return use.add('JoinMasks', { op }, { on: [...output, ...masked], suffix: 'mask', masked: true });
}

/** Sequences with zeros at steps that are masked. */
export function zeroMasked(use: LayerUse, outputs: readonly Tensor[]): readonly Tensor[] {
  const [sequence, ...states] = outputs;
  return [...use.add('ZeroMasked', {}, { on: [sequence!], suffix: 'zeros' }), ...states];
}
