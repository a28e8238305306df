import { philox } from '@sbp/math';
import { DataError } from '../data-error.js';
import { type PartName, partNames } from './raw.js';

/** Keeps the split apart from everything else that is drawn from the same seed. */
const stream = 0x73706c74; // 'splt'

/** Shares of examples that come without a split. */
export const shares = { validation: 0.1, test: 0.1 } as const;

/**
 * Deals examples out to train, validation and test, the same share of each class: by example, the place in `partNames`. The same seed deals them the same way.
 *
 * @param labels class by example; left out, all are alike
 * @param parts which parts are to be taken off; the rest is train
 * @throws DataError where there are too few for a training and a test set
 */
export function split(
  size: number,
  {
    labels,
    seed,
    parts,
    where,
  }: { labels?: ArrayLike<number>; seed: number; parts: readonly ('validation' | 'test')[]; where: string },
): Uint8Array {
  const order = philox(seed, stream).permutation(0, size);
  const byClass = new Map<number, number[]>();
  for (const example of order) {
    const label = labels?.[example] ?? 0;
    const members = byClass.get(label);
    if (members) members.push(example);
    else byClass.set(label, [example]);
  }
  const assigned = new Uint8Array(size);
  const taken: Record<string, number> = {};
  let seen = 0;
  for (const label of [...byClass.keys()].sort((a, b) => a - b)) {
    const members = byClass.get(label)!;
    seen += members.length;
    let at = 0;
    for (const part of parts) {
      // What all classes so far have a right to, less what they got: no class rounds for itself.
      const due = Math.round(shares[part] * seen) - (taken[part] ?? 0);
      // The last of a class stays to be trained on.
      const count = Math.max(0, Math.min(due, members.length - 1 - at));
      for (const example of members.slice(at, at + count)) assigned[example] = partNames.indexOf(part);
      at += count;
      taken[part] = (taken[part] ?? 0) + count;
    }
  }
  const wanted = parts.at(-1);
  if (wanted === 'test' && !taken.test) {
    const largest = [...byClass.values()].reduce((most, members) =>
      members.length > most.length ? members : most,
    );
    const spare = largest.find((example) => assigned[example] === 0);
    if (size < 2 || spare === undefined)
      throw new DataError(
        `${where}: expected at least 2 examples, one to train on and one to test on, found ${size}`,
      );
    assigned[spare] = partNames.indexOf('test' satisfies PartName);
  }
  return assigned;
}
