import { DataError } from '../data-error.js';
import type { FieldPlan } from './hold/hold.js';
import { type FittedInput, fitInputs, type Parts } from './inputs.js';
import { checkNormalize, watched } from './normalize.js';
import type { DataOptions } from './options.js';
import { type Opened, type PartName, partNames, some } from './raw.js';
import { shares, split } from './split.js';
import type { FittedTarget } from './targets/fitted.js';
import { fitTargets } from './targets/targets.js';

/** One part of a source: what is read of it, and where its examples go. */
export interface Job {
  size: number;
  inputs: FittedInput[];
  targets: FittedTarget[];
  /** The inputs, then the targets. */
  fields: FieldPlan[];
  /** By example, the place in `into`. */
  assigned: Uint8Array;
  /** The parts that come out, in the order of `partNames`. */
  into: readonly PartName[];
  /** To be called when all is read. @throws DataError for inputs that can't be what they are said to be */
  end(): void;
}

const order: readonly (PartName | 'all')[] = ['all', 'train', 'validation', 'test'];

/**
 * What is to be read of a source: fitted to the model, and split into parts where the source isn't.
 *
 * @param notes gets what was understood
 * @throws DataError for what doesn't fit
 */
export async function planned(opened: Opened, options: DataOptions, notes: string[]): Promise<Job[]> {
  const parts = Object.entries(opened.parts) as Parts;
  // What is trained on comes first: the others are measured by it.
  parts.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  if (!opened.parts.all && !opened.parts.train)
    throw new DataError(
      `${some(parts.map(([name]) => name))}: expected data to train on, found none; give a part 'train'`,
    );
  const inputs = await fitInputs(parts, options, notes);
  // Before anything is decoded.
  for (const input of inputs[0]!) checkNormalize(input, input.raw.where(0), options);
  for (const [i, [, part]] of parts.entries()) checkSizes(inputs[i]!, part);
  const targets = await fitTargets(parts, inputs[0]!, opened.classes, options, notes);
  const named = opened.classes ?? parts[0]![1].targets.find(({ texts }) => texts);
  const classes = targets[0]!.find(({ kind }) => kind === 'classes')?.classes;
  if (!options.classes && named && classes) notes.push(orderNote(classes));
  return parts.map(([name], i) => {
    const both = inputs[i]!.map((input) => watched(input, options));
    const own = both.map(([input]) => input);
    return {
      ...dealt(name, opened, own, targets[i]!, options, notes),
      ...{ size: own[0]!.raw.size, inputs: own, targets: targets[i]! },
      fields: [...own, ...targets[i]!.map((target) => ({ ...target, count: countOf(target) }))],
      end() {
        for (const [, end] of both) end();
      },
    };
  });
}

/** Which examples of a source's part go to which part. */
function dealt(
  name: PartName | 'all',
  { parts }: Opened,
  [input]: readonly FittedInput[],
  targets: readonly FittedTarget[],
  { seed = 0 }: DataOptions,
  notes: string[],
): Pick<Job, 'assigned' | 'into'> {
  const { size, where } = input!.raw;
  const takes = name === 'all' ? (['validation', 'test'] as const) : (['test'] as const);
  if (name !== 'all' && (name !== 'train' || parts.test))
    return { assigned: new Uint8Array(size), into: [name] };
  const labels = targets.find(({ kind, shape }) => kind === 'classes' && shape.length === 0)?.values;
  const assigned = split(size, { labels, seed, parts: takes, where: where(0) });
  notes.push(splitNote(assigned, takes, labels !== undefined, seed));
  // A small set may have none for validation.
  const into = partNames.filter((_, part) => assigned.includes(part));
  return { assigned: assigned.map((part) => into.indexOf(partNames[part]!)), into };
}

function orderNote(classes: readonly string[]): string {
  const alphabetical = [...classes].sort().every((name, i) => name === classes[i]);
  return `Classes are numbered in this order${alphabetical ? ', which is alphabetical as Keras has them' : ", the data's own"}`;
}

function splitNote(
  assigned: Uint8Array,
  takes: readonly ('validation' | 'test')[],
  stratified: boolean,
  seed: number,
): string {
  const counts = partNames.map((_, part) => assigned.reduce((sum, each) => sum + Number(each === part), 0));
  const taken = takes.map(
    (part) => `${counts[partNames.indexOf(part)]} (${100 * shares[part]} %) for ${part}`,
  );
  return `Of ${assigned.length} examples ${counts[0]} are trained on, ${taken.join(' and ')}${stratified ? ', the same share of each class' : ''}, drawn by seed ${seed}`;
}

function checkSizes(inputs: readonly FittedInput[], { targets }: Parts[number][1]): void {
  const [first, ...others] = [...inputs.map(({ raw }) => raw), ...targets];
  for (const other of others)
    if (other.size !== first!.size)
      throw new DataError(
        `${other.where(0)}: expected ${first!.size} examples as '${first!.name}' has, found ${other.size}; every array has one entry an example`,
      );
}

function countOf({ kind, shape, classes }: FittedTarget): number | undefined {
  return kind === 'classes' && shape.length > 0 ? classes?.length : undefined;
}
