import { InvalidArgumentError, Option } from 'commander';

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
