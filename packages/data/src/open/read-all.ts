import { DataError } from '../data-error.js';
import { lengthOf } from '../dataset/dataset.js';
import { numbersOf } from '../dataset/numbers.js';
import { type FieldPlan, fileSlot, type Held, hold, memorySlot, rawFile } from './hold/hold.js';
import { type ReadData, type ReadField, type ReadPart, writeIndex } from './hold/kept.js';
import { checkRoom, type Scratch } from './hold/scratch.js';
import type { FittedInput } from './inputs.js';
import type { DataOptions } from './options.js';
import { type Job, planned } from './plan.js';
import { counted, type Opened, type PartName, partNames } from './raw.js';
import type { FittedTarget } from './targets/fitted.js';

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
  const jobs = await planned(opened, options, notes);
  const sum = (of: (job: Job, field: FieldPlan) => number) =>
    jobs.reduce(
      (all, job) => job.fields.reduce((own, field) => own + (field.values ? 0 : of(job, field)), all),
      0,
    );
  const bytes = sum(({ size }, field) => size * bytesOf(field));
  const folder = bytes > how.memory ? how.scratch.folder() : undefined;
  if (folder !== undefined) {
    checkRoom(how.cache, bytes);
    notes.push(
      `${amount(bytes)} of numbers, more than the ${amount(how.memory)} that they may take in memory`,
    );
  } else notes.push(`In memory: ${amount(bytes)}`);
  const total = sum(({ size }) => size);
  let done = 0;
  const progress = (examples: number) => {
    done += examples;
    options.onProgress?.(done, total);
  };
  const parts: ReadPart[] = [];
  const allBroken: string[] = [];
  for (const job of jobs) {
    const { fields, assigned, into } = job;
    const slot = (part: number, field: number, size: number) => {
      const { dtype, values } = fields[field]!;
      const length = lengthOf(fields[field]!);
      if (folder === undefined || values) return memorySlot(dtype, size, length);
      return fileSlot(rawFile(folder, partNames.indexOf(into[part]!), field), dtype, length);
    };
    const skipBroken = options.skipBroken ?? false;
    const { parts: held, broken } = await hold(fields, assigned, into.length, slot, { skipBroken, progress });
    parts.push(...held.map((part, i) => readPart(job, into[i]!, part, broken)));
    allBroken.push(...broken);
  }
  for (const { end } of jobs) end();
  if (allBroken.length > 0) {
    const examples = jobs.reduce((all, { size }) => all + size, 0);
    notes.push(
      `Left out ${counted(allBroken.length, 'broken example')} of ${examples}, the first: ${allBroken[0]}`,
    );
  }
  if (folder !== undefined) await writeIndex(folder, { parts, notes });
  return { parts, notes, folder };
}

function readPart(
  { size, inputs, targets, fields }: Job,
  name: PartName,
  held: Held,
  broken: readonly string[],
): ReadPart {
  if (held.size === 0)
    throw new DataError(
      `${fields[0]!.raw.where(0)}: expected examples for ${name}, found none that can be read of ${size}; the first: ${broken[0]}`,
    );
  const read = (field: FittedInput | FittedTarget, at: number): ReadField => {
    const { name, shape } = field;
    const { kind, classes } = field as Partial<FittedTarget>;
    return { name, shape, values: held.values[at]!, ...(kind && { kind }), ...(classes && { classes }) };
  };
  const part: ReadPart = {
    ...{ name, size: held.size },
    inputs: inputs.map((input, at) => read(input, at)),
    targets: targets.map((target, at) => read(target, inputs.length + at)),
  };
  if (name === 'train') checkClasses(part, targets, broken);
  return part;
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

function bytesOf(field: FieldPlan): number {
  return lengthOf(field) * numbersOf(field.dtype, 0).BYTES_PER_ELEMENT;
}

/** Bytes as people read them. */
function amount(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power > 0 ? 1 : 0)} ${units[power]}`;
}
