import { DataError } from '../../data-error.js';
import { type FittedInput, note, type Parts } from '../inputs.js';
import { type DataOptions, type OutputSpec, outputSpecs } from '../options.js';
import { type RawArray, some } from '../raw.js';
import type { FittedTarget, Unnamed } from './fitted.js';
import { numberTargets } from './numbers.js';
import { placeTargets } from './places.js';
import { textTargets } from './texts.js';

/**
 * The targets of each part, under the model's names, and what they are: classes, labels or values.
 *
 * @param notes gets what was understood
 * @throws DataError for labels that the model has no output for, or that are none of the classes
 */
export async function fitTargets(
  parts: Parts,
  inputs: readonly FittedInput[],
  own: readonly string[] | undefined,
  options: DataOptions,
  notes: string[],
): Promise<FittedTarget[][]> {
  const specs = outputSpecs(options);
  const [[, first]] = parts as [Parts[number]];
  const fitted: FittedTarget[][] = parts.map(() => []);
  if (first.targets.length === 0) {
    note(notes, 'No labels');
    return fitted;
  }
  const wanted =
    specs.length > 0 && specs[0]!.name !== undefined
      ? specs
      : first.targets.map(({ name }) => ({ ...specs[0], name }));
  for (const { name, ...spec } of wanted as ({ name: string } & OutputSpec)[]) {
    const raws = parts.map(([, { targets, inputs }]) => {
      const raw =
        wanted.length === 1 && targets.length === 1 ? targets[0] : targets.find((each) => each.name === name);
      if (!raw)
        throw new DataError(
          `${inputs[0]!.where(0)}: expected labels for the model's output '${name}', found ${some(targets.map(({ name }) => name)) || 'none'}; name them so`,
        );
      return raw;
    });
    const known = options.classes ?? own;
    // Of several outputs, those that tell so many classes apart.
    const fits = wanted.length === 1 || known?.length === (spec.size === 1 ? 2 : spec.size);
    const target = await understood(raws, spec, inputs, fits ? known : undefined, name, notes);
    for (const [i, each] of target.entries()) fitted[i]!.push({ ...each, name });
  }
  return fitted;
}

async function understood(
  raws: RawArray[],
  spec: OutputSpec,
  inputs: readonly FittedInput[],
  known: readonly string[] | undefined,
  name: string,
  notes: string[],
): Promise<Unnamed[]> {
  const [first] = raws as [RawArray];
  for (const raw of raws)
    if (raw.shape.join() !== first.shape.join())
      throw new DataError(
        `${raw.where(0)}: expected labels of [${first.shape.join(', ')}] as ${first.where(0)} has, found [${raw.shape.join(', ')}]`,
      );
  if (first.texts) return textTargets(raws, spec, known, name, notes);
  if (first.shape.length >= 2) return placeTargets(raws, spec, inputs, known, name, notes);
  return numberTargets(raws, spec, known, name, notes);
}
