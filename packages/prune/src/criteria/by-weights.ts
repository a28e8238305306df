import { PruneError } from '../errors.js';
import type { NamedCriterion } from './criterion.js';

/**
 * What makes a group by what reads it, as its share in the squares of all groups that are left when it goes as the least of them, for each kernel that makes or reads it. A signal passes kernel after kernel, so that what
 * is left of it is the product of the shares left: the sum of these scores is its logarithm, and no set is emptied because its layers are dear.
 */
export const magnitude: NamedCriterion = {
  name: 'magnitude',
  score: (set) => {
    const { made, read, count } = set.kernels();
    return sharesLeft(made.map((norm, group) => (norm * read[group]!) ** 2)).map((share) => count * share);
  },
};

/** Of each, its share in the sum of all that are not less than it. */
export function sharesLeft(all: Float64Array): Float64Array {
  const order = [...all.keys()].sort((a, b) => all[b]! - all[a]!);
  const shares = new Float64Array(all.length);
  let left = 0;
  for (const group of order) {
    left += all[group]!;
    shares[group] = left > 0 ? all[group]! / left : 0;
  }
  return shares;
}

/** Over their mean. */
export function byMean(all: Float64Array): Float64Array {
  const mean = all.reduce((sum, each) => sum + each, 0) / all.length;
  return mean > 0 ? all.map((each) => each / mean) : all;
}

/**
 * The norm of the weights that make a group (Li et al. 2017), tied ones together and by what batch norm multiplies them by, over its mean in the set, as Torch-Pruning has it by default: layers differ in the
 * size of their weights for many reasons.
 */
const byNorm = (name: string, p: 1 | 2): NamedCriterion => ({
  name,
  isRelative: true,
  score: (set) => byMean(set.kernels().norms(p)),
});

export const l1 = byNorm('l1', 1);
export const l2 = byNorm('l2', 2);

/** |γ| of batch norm (Liu et al. 2017), over its mean in the set. */
export const batchNorm: NamedCriterion = {
  name: 'batch-norm',
  isRelative: true,
  score: (set) => {
    const scales = set.kernels().scales();
    if (scales) return byMean(scales);
    throw new PruneError(
      `criterion 'batch-norm': none with a scale stands behind '${set.name}'; take 'magnitude', 'l1' or 'l2'`,
      set.name,
    );
  },
};
