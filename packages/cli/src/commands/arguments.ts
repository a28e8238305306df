import { InvalidArgumentError, Option } from 'commander';

/** As @sbp/model takes sizes: of the one input, or of several by their names. */
export type InputShapes = readonly number[] | Record<string, readonly number[]>;

/** A flag's whole number of at least 0. */
export function wholeNumber(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

/** A flag's number of at least 0. */
export function positiveNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value < Infinity) return value;
  throw new InvalidArgumentError('Expected a number of at least 0.');
}

/** A flag's list, such as 0,1,2, of whole numbers. */
export function wholeNumbersFrom0(text: string): number[] {
  return text.split(',').map(wholeNumber);
}

/** A flag's list, such as 1,100, of whole numbers of at least 1. */
export function wholeNumbers(text: string): number[] {
  const values = wholeNumbersFrom0(text);
  if (values.every((value) => value >= 1)) return values;
  throw new InvalidArgumentError('Expected whole numbers of at least 1 with commas between them.');
}

/** `--input-shape`, wherever a model may leave sizes open; once for each input that has a name. */
export const inputShapeOption = () =>
  new Option(
    '--input-shape <sizes>',
    'sizes that the model leaves open, without the batch: 224,224,3; where there are several inputs, once for each: image=224,224,3',
  ).argParser(inputShapes);

function inputShapes(text: string, before: InputShapes | undefined): InputShapes {
  const [, name, sizes] = /^(?:(.+)=)?([^=]+)$/.exec(text) ?? [];
  const shape = (sizes ?? '').split(',').map((size) => (/^[1-9]\d*$/.test(size) ? Number(size) : Number.NaN));
  if (!shape.every(Number.isSafeInteger))
    throw new InvalidArgumentError('Expected sizes without the batch, such as 224,224,3 or image=224,224,3.');
  if (before === undefined && name === undefined) return shape;
  if (name === undefined || Array.isArray(before))
    throw new InvalidArgumentError(
      'Where it is given more than once, each needs the name of its input: image=224,224,3.',
    );
  return { ...before, [name]: shape };
}

/** `--engine`, the same wherever something is computed. */
export const engineOption = () =>
  new Option('--engine <engine>', 'what computes').choices(['auto', 'tensorflow', 'wasm', 'cpu'] as const);

/** `--budget`, which the experiments' tasks get from their environment. */
export const budgetOption = (description: string) =>
  new Option('--budget <budget>', description)
    .choices(['full', 'medium', 'short'] as const)
    .default('full' as const)
    .env('SBP_BUDGET');

/** `--gather`, wherever something is cut. */
export const gatherOption = () =>
  new Option(
    '--gather',
    'also take out single pixels and flattened units: fewer multiply-accumulates, but slower in tfjs, which has no layer for it',
  ).default(false);
