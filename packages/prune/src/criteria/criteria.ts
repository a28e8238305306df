import type { NoiseValues } from '@sbp/layers';
import { PruneError } from '../errors.js';
import type { Kernels } from './kernels.js';

/** Groups that are decided about one by one, as a criterion sees them: those of one noise, or, without noise, of one set of tied groups. */
export interface CutSet {
  /** The layer that has the noise, or the first of those that make the groups. */
  readonly name: string;
  readonly groups: number;
  /** What noise has learned of them; absent in a model without. */
  readonly noise?: NoiseValues & {
    /** The weight of each group's KL in training; what the noises of a model have in common does not matter. */
    readonly klWeight: number;
  };
  kernels(): Kernels;
}

/**
 * How much signal each group of a set carries, ≥ 0; ∞ for what is never to go. What goes first is what has the least for its cost; scores of different sets are compared as they are.
 */
export type Criterion = (set: CutSet) => ArrayLike<number>;

/**
 * klWeight · SNR². In training, KL and data pull on the noise alike where the error that it adds is as klWeight · d KL / d log σ ≈ klWeight, so that what a group is worth to the data
 * is in that proportion to 1 / SNR². With KL by cost, what has the least for its cost has the lowest SNR.
 */
const snr: Criterion = ({ name, noise }) => {
  if (!noise)
    throw new PruneError(
      `criterion 'snr': '${name}' has no noise; train withNoise, or take 'magnitude'`,
      name,
    );
  // without KL nothing says what they are worth, and somebody wanted them to stay
  return noise.snr.map((ratio) => (noise.klWeight > 0 ? noise.klWeight * ratio ** 2 : Infinity));
};

/**
 * What makes a group by what reads it, as its share in the squares of all groups that are left when it goes as the least of them, for each kernel that makes or reads it. A signal passes kernel after kernel, so that what
 * is left of it is the product of the shares left: the sum of these scores is its logarithm, and no set is emptied because its layers are dear.
 */
const magnitude: Criterion = (set) => {
  const { made, read, count } = set.kernels();
  const squares = made.map((norm, group) => (norm * read[group]!) ** 2);
  const order = [...squares.keys()].sort((a, b) => squares[b]! - squares[a]!);
  const scores = new Float64Array(squares.length);
  let left = 0;
  for (const group of order) {
    left += squares[group]!;
    scores[group] = left > 0 ? (count * squares[group]!) / left : 0;
  }
  return scores;
};

/** Criteria by name. */
export const criteria = { snr, magnitude } as const satisfies Record<string, Criterion>;
export type CriterionName = keyof typeof criteria;

/** @throws PruneError for a name that is not in the table */
export function criterionOf(given: CriterionName | Criterion): { name: string; score: Criterion } {
  if (typeof given === 'function') return { name: 'own', score: given };
  if (Object.hasOwn(criteria, given)) return { name: given, score: criteria[given] };
  throw new PruneError(
    `criterion: '${given}'; expected ${Object.keys(criteria).join(', ')} or a function of a set of groups`,
  );
}
