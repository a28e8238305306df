import type { NoiseValues } from '@sbp/layers';
import type { Kernels } from './kernels.js';

/** Groups that are decided about one by one, as a criterion sees them: those of one noise, or, without noise, of one set of tied groups. */
export interface CutSet {
  /** The layer that has the noise, or the first of those that make the groups. */
  readonly name: string;
  /** The place of the set among the model's, in the order in which it runs. */
  readonly index: number;
  readonly groups: number;
  /** What noise has learned of them; absent in a model without. */
  readonly noise?: NoiseValues & {
    /** The weight of each group's KL in training; what the noises of a model have in common does not matter. */
    readonly klWeight: number;
  };
  kernels(): Kernels;
}

/**
 * What each group of a set is worth; ∞ for what is never to go. What is worth the least for its cost goes first, and what is worth 0 or less before anything else, whatever it costs. Worths of different
 * sets are compared as they are.
 */
export type Criterion = (set: CutSet) => ArrayLike<number>;

/** A criterion with what else is to be known of it. */
export interface NamedCriterion {
  /** As reports call it. */
  readonly name: string;
  readonly score: Criterion;
  /** Whether it says by itself which groups go: those that are worth 0 or less. */
  readonly decides?: boolean;
}
