import { PruneError } from '../errors.js';
import { bmrsN, bmrsU, snr } from './by-noise.js';
import { batchNorm, l1, l2, magnitude } from './by-weights.js';
import type { Criterion, NamedCriterion } from './criterion.js';
import { random } from './random.js';

/** Has no name to be had by: it needs data. */
const taylor: NamedCriterion = {
  name: 'taylor',
  score: () => {
    throw new PruneError(
      "criterion 'taylor' needs gradients: give it as `await taylor(model, batches, loss)`, or take 'magnitude'",
    );
  },
};

/** Criteria by name. */
export const criteria = {
  snr,
  'bmrs-n': bmrsN,
  'bmrs-u': bmrsU,
  magnitude,
  l1,
  l2,
  'batch-norm': batchNorm,
  taylor,
  random: random(),
} as const satisfies Record<string, NamedCriterion>;
export type CriterionName = keyof typeof criteria;

/** What a criterion can be called. */
export const criterionNames = Object.keys(criteria) as CriterionName[];

/** @throws PruneError for a name that is not in the table */
export function criterionOf(given: CriterionName | Criterion | NamedCriterion): NamedCriterion {
  if (typeof given === 'function') return { name: 'own', score: given };
  if (typeof given === 'object' && typeof given?.score === 'function') return given;
  if (Object.hasOwn(criteria, given as string)) return criteria[given as CriterionName];
  throw new PruneError(
    `criterion: '${given}'; expected ${criterionNames.join(', ')} or a function of a set of groups`,
  );
}
