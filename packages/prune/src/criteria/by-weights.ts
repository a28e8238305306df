import { PruneError } from '../errors.js';
import { byRank } from './by-rank.js';
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
function sharesLeft(all: Float64Array): Float64Array {
  const order = [...all.keys()].sort((a, b) => all[b]! - all[a]!);
  const shares = new Float64Array(all.length);
  let left = 0;
  for (const group of order) {
    left += all[group]!;
    shares[group] = left > 0 ? all[group]! / left : 0;
  }
  return shares;
}

/**
 * What the norm of the weights that make a group says (Li et al. 2017), tied ones together and by what batch norm multiplies them by: which of a set goes before which. Sizes of weights compare no further than that, so that
 * across sets they are worth what is left of a set with each.
 */
const byNorm = (name: string, p: 1 | 2): NamedCriterion => ({
  name,
  score: (set) => byRank(set, set.kernels().norms(p)),
});

export const l1 = byNorm('l1', 1);
export const l2 = byNorm('l2', 2);

/** The same by |γ| of batch norm (Liu et al. 2017). */
export const batchNorm: NamedCriterion = {
  name: 'batch-norm',
  score: (set) => {
    const scales = set.kernels().scales();
    if (scales) return byRank(set, scales);
    throw new PruneError(
      `criterion 'batch-norm': none with a scale stands behind '${set.name}'; take 'magnitude', 'l1' or 'l2'`,
      set.name,
    );
  },
};
