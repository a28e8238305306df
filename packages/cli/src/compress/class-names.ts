import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../words/failure.js';

/** A list of class names is a few kilobytes. */
const MOST = 1e6;

/**
 * The classes in the order of the model's outputs, where somebody says it: `--classes` with names or a file of them, one a line, or a `labels.txt` beside the
 * model.
 *
 * @throws UsageError where the file is none of names
 */
export function classNames(model: string, given: readonly string[] | undefined): string[] | undefined {
  const [only] = given ?? [];
  if (given && !(given.length === 1 && only && isFile(only))) return [...given];
  if (only) return namesIn(only);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(model) || !existsSync(model)) return undefined;
  const folder = statSync(model).isDirectory() ? model : dirname(model);
  const beside = join(folder, 'labels.txt');
  return isFile(beside) ? namesIn(beside) : undefined;
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function namesIn(file: string): string[] {
  if (statSync(file).size > MOST)
    throw new UsageError(`${file} is too large for a list of classes, one a line.`);
  const names = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim());
  const found = names.filter((name) => name !== '');
  if (found.length === 0)
    throw new UsageError(
      `${file} has no names of classes; give one a line, in the order of the model's outputs.`,
    );
  return found;
}
