import { DataError } from '../data-error.js';
import { lengthOf } from '../dataset/dataset.js';
import { numbersOf } from '../dataset/numbers.js';
import { type FieldPlan, fileSlot, hold, memorySlot, rawFile } from './hold/hold.js';
import { type ReadData, type ReadField, type ReadPart, writeIndex } from './hold/kept.js';
import { checkRoom, type Scratch } from './hold/scratch.js';
import { type FittedInput, fitInputs, type Parts } from './inputs.js';
import { checkNormalize, watched } from './normalize.js';
import type { DataOptions } from './options.js';
import { counted, type Opened, type PartName, partNames, some } from './raw.js';
import { shares, split } from './split.js';
import type { FittedTarget } from './targets/fitted.js';
import { fitTargets } from './targets/targets.js';

/** One part of a source, what goes into it, and which parts come out. */
interface Job {
  size: number;
  fields: FieldPlan[];
  inputs: FittedInput[];
  targets: FittedTarget[];
  assigned: Uint8Array;
  into: readonly PartName[];
}

/**
 * Reads what a source has, split into parts.
 *
 * @param how.memory bytes that may be in memory; what is more goes to files in `scratch`
 * @returns `folder`, where the files are, if there are any
 */
export async function readAll(
  opened: Opened,
  options: DataOptions,
  how: { memory: number; scratch: Scratch; cache: string },
): Promise<ReadData & { folder?: string }> {
  const notes = [...opened.notes];
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
  const ends: (() => void)[] = [];
  const jobs = parts.map(([name, raw], i): Job => {
    const watchedInputs = inputs[i]!.map((input) => {
      const [own, end] = watched(input, options);
      ends.push(end);
      return own;
    });
    const size = raw.inputs[0]!.size;
    const into = intoParts(name, opened);
    const labels = targets[i]!.find(({ kind, shape }) => kind === 'classes' && shape.length === 0)?.values;
    const takes = into.filter((part) => part !== 'train' && part !== name) as ('validation' | 'test')[];
    const assigned =
      takes.length > 0
        ? split(size, { labels, seed: options.seed ?? 0, parts: takes, where: raw.inputs[0]!.where(0) })
        : new Uint8Array(size);
    if (takes.length > 0) notes.push(splitNote(assigned, takes, labels !== undefined, options));
    // From places in all parts to places in those that come out.
    const present = into.filter((part) => takes.length === 0 || assigned.includes(partNames.indexOf(part)));
    const place = partNames.map((part) => Math.max(0, present.indexOf(part)));
    const fields = [
      ...watchedInputs,
      ...targets[i]!.map((target) => ({ ...target, count: countOf(target) })),
    ];
    return {
      size,
      fields,
      inputs: watchedInputs,
      targets: targets[i]!,
      assigned: assigned.map((part) => (takes.length > 0 ? place[part]! : 0)),
      into: present,
    };
  });
  const bytes = jobs.reduce(
    (sum, { size, fields }) =>
      sum + size * fields.reduce((own, field) => own + (field.values ? 0 : bytesOf(field)), 0),
    0,
  );
  const folder = bytes > how.memory ? how.scratch.folder() : undefined;
  if (folder !== undefined) {
    checkRoom(how.cache, bytes);
    notes.push(`${size(bytes)} of numbers, more than the ${size(how.memory)} that they may take in memory`);
  } else notes.push(`In memory: ${size(bytes)}`);
  const data: ReadData & { folder?: string } = { parts: [], notes, folder };
  const total = jobs.reduce(
    (sum, { size, fields }) => sum + size * fields.filter(({ values }) => !values).length,
    0,
  );
  let done = 0;
  const progress = (examples: number) => {
    done += examples;
    options.onProgress?.(done, total);
  };
  const allBroken: string[] = [];
  for (const { size, fields, inputs, assigned, into, targets } of jobs) {
    const slot = (part: number, field: number, size: number) => {
      const { dtype, values } = fields[field]!;
      const length = lengthOf(fields[field]!);
      if (folder === undefined || values) return memorySlot(dtype, size, length);
      return fileSlot(rawFile(folder, partNames.indexOf(into[part]!), field), dtype, length);
    };
    const { parts, broken } = await hold(fields, assigned, into.length, slot, {
      skipBroken: options.skipBroken ?? false,
      progress,
    });
    allBroken.push(...broken);
    for (const [i, part] of parts.entries()) {
      if (part.size === 0)
        throw new DataError(
          `${fields[0]!.raw.where(0)}: expected examples for ${into[i]}, found none that can be read of ${size}; the first: ${broken[0]}`,
        );
      const read = (field: FittedInput | FittedTarget, at: number): ReadField => {
        const { name, shape } = field;
        const { kind, classes } = field as Partial<FittedTarget>;
        return { name, shape, values: part.values[at]!, ...(kind && { kind }), ...(classes && { classes }) };
      };
      const own: ReadPart = {
        ...{ name: into[i]!, size: part.size },
        inputs: inputs.map((input, at) => read(input, at)),
        targets: targets.map((target, at) => read(target, inputs.length + at)),
      };
      if (own.name === 'train') checkClasses(own, targets, broken);
      data.parts.push(own);
    }
  }
  for (const end of ends) end();
  if (allBroken.length > 0)
    notes.push(
      `Left out ${counted(allBroken.length, 'broken example')} of ${jobs.reduce((sum, { size }) => sum + size, 0)}, the first: ${allBroken[0]}`,
    );
  if (folder !== undefined) await writeIndex(folder, data);
  return data;
}

const order: readonly (PartName | 'all')[] = ['all', 'train', 'validation', 'test'];

/** The parts that one of a source becomes. */
function intoParts(name: PartName | 'all', { parts }: Opened): readonly PartName[] {
  if (name === 'all') return partNames;
  return name === 'train' && !parts.test ? ['train', 'test'] : [name];
}

function orderNote(classes: readonly string[]): string {
  const alphabetical = [...classes].sort().every((name, i) => name === classes[i]);
  return `Classes are numbered in this order${alphabetical ? ', which is alphabetical as Keras has them' : ", the data's own"}`;
}

function splitNote(
  assigned: Uint8Array,
  takes: readonly ('validation' | 'test')[],
  stratified: boolean,
  { seed = 0 }: DataOptions,
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

/** @throws DataError where all examples of a class were broken */
function checkClasses(part: ReadPart, targets: readonly FittedTarget[], broken: readonly string[]): void {
  if (broken.length === 0) return;
  for (const [i, { kind, shape, values, classes }] of targets.entries()) {
    if (kind !== 'classes' || shape.length > 0) continue;
    const left = new Set(part.targets[i]!.values as Int32Array);
    const gone = [...new Set(values as Int32Array)].find((label) => !left.has(label));
    if (gone !== undefined)
      throw new DataError(
        `expected examples of each class, found none of '${classes?.[gone]}' that can be read; the first broken one: ${broken[0]}`,
      );
  }
}

function countOf({ kind, shape, classes }: FittedTarget): number | undefined {
  return kind === 'classes' && shape.length > 0 ? classes?.length : undefined;
}

function bytesOf(field: FieldPlan): number {
  return lengthOf(field) * numbersOf(field.dtype, 0).BYTES_PER_ELEMENT;
}

/** Bytes as people read them. */
function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power > 0 ? 1 : 0)} ${units[power]}`;
}
