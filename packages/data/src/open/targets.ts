import { DataError } from '../data-error.js';
import type { Numbers, NumbersType, Target } from '../dataset/dataset.js';
import { numbersOf } from '../dataset/numbers.js';
import type { FittedInput, Parts } from './inputs.js';
import { note } from './inputs.js';
import { type DataOptions, type OutputSpec, outputSpecs } from './options.js';
import { type RawArray, shown, some } from './raw.js';

/** A source's array as what the network learns. */
export interface FittedTarget {
  name: string;
  shape: readonly number[];
  dtype: NumbersType;
  kind: Target['kind'];
  classes?: readonly string[];
  raw: RawArray;
  /** All numbers, where an example has few; else they are read as the inputs are. */
  values?: Numbers;
}

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
    const target = await understood(raws, spec, inputs, own, options.classes, name, notes);
    for (const [i, each] of target.entries()) fitted[i]!.push({ ...each, name });
  }
  return fitted;
}

type Unnamed = Omit<FittedTarget, 'name'>;

async function understood(
  raws: RawArray[],
  spec: OutputSpec,
  inputs: readonly FittedInput[],
  own: readonly string[] | undefined,
  given: readonly string[] | undefined,
  name: string,
  notes: string[],
): Promise<Unnamed[]> {
  const [first] = raws as [RawArray];
  // One number in a row of its own is one number.
  const shape = first.shape.length === 1 && first.shape[0] === 1 ? [] : first.shape;
  for (const raw of raws)
    if (raw.shape.join() !== first.shape.join())
      throw new DataError(
        `${raw.where(0)}: expected labels of [${first.shape.join(', ')}] as ${first.where(0)} has, found [${raw.shape.join(', ')}]`,
      );
  const { size } = spec;
  const known = given ?? own;
  if (first.texts) return fromTexts(raws, spec, known, name, notes);
  if (shape.length >= 2) return [...fromImages(raws, shape, spec, inputs, known, name, notes)];
  const all = await Promise.all(raws.map(inMemory));
  const every = (test: (value: number, i: number) => boolean) => all.every((values) => values.every(test));
  const whole = every((value) => Number.isInteger(value));
  if (shape.length === 0) {
    const binary = whole && every((value) => value === 0 || value === 1);
    const counts = first.dtype !== 'float32' && every((value) => value >= 0);
    const kind =
      spec.kind ?? ((size === 1 ? binary : (size !== undefined || counts) && whole) ? 'classes' : 'values');
    if (kind === 'labels')
      throw new DataError(
        `${first.where(0)}: expected several labels an example, found one; its kind is 'classes' or 'values'`,
      );
    if (kind === 'values') {
      note(notes, `Target '${name}': one number`);
      return all.map((values, i) => ({
        raw: raws[i]!,
        shape,
        kind,
        dtype: 'float32',
        values: Float32Array.from(values),
      }));
    }
    return asClasses(all, raws, size, known, name, notes);
  }
  const [width] = shape as [number];
  if (size !== undefined && size !== width && !(spec.kind === 'classes'))
    throw new DataError(
      `${first.where(0)}: expected ${size} numbers, as many as the model's output '${name}' has, found ${width}`,
    );
  const bits = every((value) => value === 0 || value === 1);
  const onehot =
    bits &&
    all.every((values) =>
      eachRow(values, width, (row) => row.indexOf(1) >= 0 && row.indexOf(1) === row.lastIndexOf(1)),
    );
  const kind = spec.kind ?? (onehot ? 'classes' : bits ? 'labels' : 'values');
  if (kind === 'classes') {
    if (!onehot)
      throw new DataError(
        `${first.where(0)}: expected one 1 and else 0 in each row of '${name}' (one-hot), found something else`,
      );
    note(notes, `Target '${name}' is one-hot: the place of the 1 is the class`);
    const classes = all.map((values) =>
      Int32Array.from({ length: values.length / width }, (_, i) =>
        values.subarray(i * width, (i + 1) * width).indexOf(1),
      ),
    );
    return asClasses(classes, raws, size ?? width, known, name, notes);
  }
  if (kind === 'labels' && !bits)
    throw new DataError(`${first.where(0)}: expected only 0 and 1 in '${name}', whose kind is 'labels'`);
  const names = kind === 'labels' && known?.length === width ? { classes: known } : {};
  note(
    notes,
    `Target '${name}': ${width} ${kind === 'labels' ? 'labels, each 0 or 1' : 'numbers'} an example`,
  );
  return all.map((values, i) => ({
    ...{ raw: raws[i]!, shape, kind, ...names },
    ...(kind === 'labels'
      ? { dtype: 'uint8' as const, values: Uint8Array.from(values) }
      : { dtype: 'float32' as const, values: Float32Array.from(values) }),
  }));
}

/** Masks and images. */
function* fromImages(
  raws: RawArray[],
  shape: readonly number[],
  spec: OutputSpec,
  inputs: readonly FittedInput[],
  known: readonly string[] | undefined,
  name: string,
  notes: string[],
): Generator<Unnamed> {
  const [first] = raws as [RawArray];
  const flat = shape.length === 2 || (shape.length === 3 && shape[2] === 1);
  const ofImage = inputs.some(
    (input) => input.shape.length === 3 && input.shape[0] === shape[0] && input.shape[1] === shape[1],
  );
  const kind =
    spec.kind ??
    (first.dtype !== 'float32' && flat && ofImage && spec.size !== undefined ? 'classes' : 'values');
  if (kind === 'classes') {
    const count = known?.length ?? (spec.size === 1 ? 2 : spec.size);
    if (count === undefined)
      throw new DataError(
        `${first.where(0)}: expected to know how many classes the masks tell apart, found neither 'outputs' nor 'classes'; give one`,
      );
    const classes = known ?? Array.from({ length: count }, (_, i) => String(i));
    note(notes, `Target '${name}': a mask of ${shape.slice(0, 2).join(' × ')}, ${count} classes`);
    for (const raw of raws)
      yield {
        raw,
        shape: shape.slice(0, 2),
        kind,
        classes,
        dtype: raw.dtype === 'float32' ? 'int32' : raw.dtype,
      };
    return;
  }
  note(notes, `Target '${name}': numbers of [${shape.join(', ')}], as they are`);
  for (const raw of raws) yield { raw, shape, kind, dtype: raw.dtype === 'int32' ? 'float32' : raw.dtype };
}

function fromTexts(
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

function checkCount(names: readonly string[], size: number | undefined, { where }: RawArray): void {
  const expected = size === 1 ? 2 : size;
  if (expected !== undefined && names.length !== expected)
    throw new DataError(
      `${where(0)}: expected ${expected} classes, as many as the model tells apart, found ${names.length}: ${some(names, 12)}; say all of them, in the model's order, in 'classes'`,
    );
}

function asClasses(
  all: readonly Numbers[],
  raws: RawArray[],
  size: number | undefined,
  known: readonly string[] | undefined,
  name: string,
  notes: string[],
): Unnamed[] {
  if (known) checkCount(known, size, raws[0]!);
  let most = 0;
  for (const values of all) for (const label of values) most = Math.max(most, label);
  const count = known?.length ?? (size === 1 ? 2 : (size ?? Math.max(2, most + 1)));
  if (count > MOST_CLASSES)
    throw new DataError(
      `${raws[0]!.where(0)}: expected class numbers below ${MOST_CLASSES}, found ${most}; say that the kind of '${name}' is 'values', or number the classes from 0`,
    );
  const classes = known ?? Array.from({ length: count }, (_, i) => String(i));
  const found = all.map((values, i) => {
    const stray = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < count));
    if (stray >= 0)
      throw new DataError(
        `${raws[i]!.where(stray)}: expected a class 0..${count - 1}, found ${values[stray]}, which the model has no output for; number the classes from 0 in the model's order`,
      );
    return Int32Array.from(values);
  });
  note(notes, `Target '${name}': ${count} classes${known ? `: ${some(classes, 12)}` : ', by number'}`);
  return found.map((values, i) => ({
    raw: raws[i]!,
    shape: [],
    kind: 'classes',
    classes,
    dtype: 'int32',
    values,
  }));
}

const MOST_CLASSES = 1_000_000;

async function inMemory(raw: RawArray): Promise<Numbers> {
  const length = raw.shape.reduce((product, dim) => product * dim, 1);
  const values = numbersOf(raw.dtype, raw.size * length);
  let at = 0;
  for await (const piece of raw.pieces()) {
    if ('broken' in piece) throw new DataError(piece.broken);
    values.set(piece, at);
    at += piece.length;
  }
  return values;
}

function eachRow(values: Numbers, width: number, test: (row: Numbers) => boolean): boolean {
  for (let at = 0; at < values.length; at += width) if (!test(values.subarray(at, at + width))) return false;
  return true;
}
