import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { writeAtomically } from '@sbp/train/checkpoint';
import { UsageError } from '../words/failure.js';

/**
 * What a step of a run leaves is trusted by later ones, days later and on other machines: `seals/<step>.json` in the run's folder names each of its files with its sha256. A step without a seal was done before there
 * were any, or was killed before the last thing that it does, and is trusted if all that it leaves is there.
 */
const sealOf = (folder: string, step: string) => join(folder, 'seals', `${step}.json`);

/** By the file's path in the run's folder, with `/` between its parts: its sha256 in hexadecimal digits. */
type Seal = Record<string, string>;

/** A seal vouches for itself, too: what is damaged may be the seal, and not what it names. */
const textOf = (files: Seal): string =>
  `${JSON.stringify({ files, sha256: sha256(JSON.stringify(files)) }, undefined, 2)}\n`;

/** A file that is another one than a step left, and how that shows. */
export interface Damage {
  file: string;
  why: string;
  /** It is the seal itself. */
  isSeal?: true;
}

/**
 * Remembers what a step has left.
 *
 * @param paths of files, and of folders with all that is in them; what is not there is left out
 */
export function seal(folder: string, step: string, paths: readonly string[]): void {
  const now = Object.fromEntries(filesIn(paths).map((file) => [nameIn(folder, file), sha256Of(file)]));
  const file = sealOf(folder, step);
  mkdirSync(dirname(file), { recursive: true });
  writeAtomically(file, textOf(now));
}

/** Forgets what a step has left, which is about to be taken away. */
export function unseal(folder: string, step: string): void {
  rmSync(sealOf(folder, step), { force: true });
}

/**
 * The first file of a step that is there and not what the step left; what somebody took away is not damaged.
 *
 * @param place looks only at this file, or at those in this folder; absolute
 */
export function damageIn(folder: string, step: string, place = resolve(folder)): Damage | undefined {
  const seal = readSeal(folder, step);
  if (seal === 'damaged')
    return { file: sealOf(folder, step), why: 'it is not what was written', isSeal: true };
  for (const [name, hash] of Object.entries(seal ?? {})) {
    const file = join(folder, name);
    const isAsked = `${resolve(file)}${sep}`.startsWith(`${place}${sep}`);
    if (isAsked && existsSync(file) && sha256Of(file) !== hash)
      return { file, why: `its sha256 is not the one in seals/${step}.json` };
  }
  return undefined;
}

/** Whether what is in a folder, which a step has made anew, is what it left there before. */
export function isAsBefore(folder: string, step: string, made: string): boolean {
  const seal = readSeal(folder, step);
  if (typeof seal !== 'object') return false;
  return filesIn([made]).every((file) => seal[nameIn(folder, file)] === sha256Of(file));
}

/**
 * Whether all that a step leaves is there, and as it left it; what is damaged is told, as the step makes it anew. Where that is the seal, what it named is taken to be whole, and sealed.
 *
 * @param leaves what has to be there
 * @param all what the step may leave
 */
export function isLeft(
  folder: string,
  step: string,
  leaves: readonly string[],
  say: (line: string) => void,
  all = leaves,
): boolean {
  if (!leaves.every((path) => existsSync(path))) return false;
  const damage = damageIn(folder, step);
  if (damage) say(madeAnew(damage));
  if (damage?.isSeal) seal(folder, step, all);
  return !damage || damage.isSeal === true;
}

export const madeAnew = ({ file, why }: Damage): string => `${file} is damaged (${why}): it is made anew.`;

/**
 * For what is not about to make it anew: a file or a model's folder in a run's folder that is not what the run left there is refused.
 *
 * @throws UsageError naming the file
 */
export function checkSealed(path: string): void {
  const place = resolve(path);
  const folder = [dirname(place), dirname(dirname(place))].find((at) => existsSync(join(at, 'seals')));
  if (folder === undefined) return;
  for (const step of readdirSync(join(folder, 'seals'))) {
    const damage = damageIn(folder, step.replace(/\.json$/, ''), place);
    // of what a damaged seal named nothing is known
    if (damage && !damage.isSeal)
      throw new UsageError(
        `${relative('', damage.file)} is damaged (${damage.why}); the command that made ${relative('', folder) || 'this folder'} makes it anew.`,
      );
  }
}

/** Whether a text is what a step left as a file. */
export function isTextOf(folder: string, step: string, file: string, text: string): boolean {
  const seal = readSeal(folder, step);
  return typeof seal === 'object' && seal[nameIn(folder, file)] === sha256(text);
}

function readSeal(folder: string, step: string): Seal | 'damaged' | undefined {
  const file = sealOf(folder, step);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  try {
    const { files } = JSON.parse(text) as { files: Seal };
    return text === textOf(files) ? files : 'damaged';
  } catch {
    return 'damaged';
  }
}

function filesIn(paths: readonly string[]): string[] {
  return paths
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      statSync(path).isDirectory() ? filesIn(readdirSync(path).map((name) => join(path, name))) : [path],
    );
}

const nameIn = (folder: string, file: string) => relative(folder, file).split(sep).join('/');

const sha256Of = (file: string) => sha256(readFileSync(file));

export const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');
