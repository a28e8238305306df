import { DataError } from '../../data-error.js';
import type { OutputSpec } from '../options.js';
import { type RawArray, shown, some } from '../raw.js';
import { asClasses, checkCount } from './classes.js';
import type { Unnamed } from './fitted.js';

/** Labels that are text. */
export function textTargets(
  raws: RawArray[],
  { kind = 'classes', size }: OutputSpec,
  known: readonly string[] | undefined,
  name: string,
  notes: string[],
): Unnamed[] {
  const [first] = raws as [RawArray];
  if (kind !== 'classes' || first.shape.length > 0)
    throw new DataError(
      `${first.where(0)}: expected numbers in '${name}', found the text '${shown(first.texts![0]!)}'`,
    );
  const names = known ?? [...new Set(raws.flatMap(({ texts }) => texts!))].sort();
  const place = new Map(names.map((name, i) => [name, i]));
  const values = raws.map((raw) =>
    Int32Array.from(raw.texts!, (text, example) => {
      const label = place.get(text);
      if (label !== undefined) return label;
      throw new DataError(
        `${raw.where(example)}: expected one of the classes ${some(names, 12)}, found '${shown(text)}'`,
      );
    }),
  );
  checkCount(names, size, first);
  return asClasses(values, raws, undefined, names, name, notes);
}
