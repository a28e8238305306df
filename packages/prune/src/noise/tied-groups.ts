import type { InputShapes } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import type { Op } from '../ops/op.js';
import { readOps } from '../ops/read-ops.js';
import { groupSetsOf } from './sets.js';

/** Groups of which each is one decision, and the layers that it runs through, by their names. */
export interface TiedGroups {
  /** How many. */
  readonly groups: number;
  /** What makes them: several layers where a sum, a product or shared weights tie their outputs together. */
  readonly makers: readonly string[];
  /** What treats each by itself on the way. */
  readonly passing: readonly string[];
  /** What reads them, and loses a row of its kernel with each that goes. */
  readonly readers: readonly string[];
  /** Why none of them can go; undefined where they can, and `withNoise` puts noise. */
  readonly fixedBy: string | undefined;
}

/**
 * The chains of a model's groups, as `withNoise` and `pruneModel` see them: which layers' channels are tied to which, and what stays for which reason.
 *
 * @param options `inputShapes` fills in sizes that the model leaves open
 * @throws PruneError for models and layers that cannot be cut
 */
export function tiedGroups(
  model: tf.LayersModel,
  { inputShapes }: { inputShapes?: InputShapes } = {},
): TiedGroups[] {
  const names = (ops: readonly Op[]) => [...new Set(ops.map(({ name }) => name))];
  return groupSetsOf(readOps(model, { inputShapes })).all.map(
    ({ groups, makers, passing, readers, fixedBy }) => ({
      groups,
      makers: names(makers),
      passing: names(passing),
      readers: names(readers),
      fixedBy,
    }),
  );
}
