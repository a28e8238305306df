import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { CriterionName } from '@sbp/prune';
import { isLeftOver } from '../run/ownership.js';
import { readJson, textOf, writeJson } from '../run/run-folder.js';
import { checkSealed, damageIn, isTextOf, seal } from '../run/seals.js';
import { UsageError } from '../words/failure.js';
import { cutOf, isStepDone, resultOf, trainingOf, unsealStep } from './done.js';
import type { CompressPaths } from './paths.js';
import type { CompressTarget } from './targets/targets.js';

/** What `sbp compress` is asked to do, with its defaults. */
export interface CompressSettings {
  /** The model file or its folder. */
  model: string;
  /** Where the data is; null: there is none. */
  data: string | null;
  /** How much of what the model costs may be left. */
  target: CompressTarget;
  /** What groups are worth; with 'snr', 'bmrs-n' and 'bmrs-u' to the noise, that the model is trained with then. */
  criterion: CriterionName;
  /** Cuts that the target is come to in, each fine-tuned for its part of the epochs. */
  rounds: number;
  /** Widths are left at multiples of it; 0: as the target's runtime likes them. */
  roundTo: number;
  /** Single inputs and flattened units can go, too. */
  gather: boolean;
  label?: string[];
  classes?: string[];
  normalize?: string;
  augment?: string[];
  skipBroken: boolean;
  seed: number;
  loss?: string;
  engine: string;
  replicas: number;
  batchSize: number;
  /** Epochs with noise; 0: as many as the data asks for. */
  epochs: number;
  /** Epochs of the smaller model; 0: as many as with noise. */
  fineTune: number;
  learningRate: number;
  /** Whether the model as it was teaches. */
  distill: boolean;
}

/** What is kept of a compression's settings, to know it again. */
interface Kept {
  settings: CompressSettings;
  /** sha256 of the model's file. */
  sha256: string;
}

/**
 * Whether a compression can go to this folder: a new one, or one that holds one of the same model, data and training.
 *
 * @returns what is kept there of its settings, and what is to be
 * @throws UsageError naming what differs, or what else is there
 */
export function checkFolder(
  { folder, settings: file }: CompressPaths,
  settings: CompressSettings,
  sha256: string,
): { before: Kept | undefined; now: Kept } {
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new UsageError(`--out ${folder} is a file; give a folder.`);
  const now: Kept = { settings: placed(settings), sha256 };
  const damage = damageIn(folder, BEGIN);
  const isWhole = !damage || damage.isSeal;
  if (!isWhole && !isTextOf(folder, BEGIN, file, textOf(now)))
    throw new UsageError(
      `${file} is damaged (it is not what seals/${BEGIN}.json says), and what was compressed there last was asked for otherwise; give the command that it was made with, or another --out.`,
    );
  const before = existsSync(file) ? (isWhole ? readKept(file) : now) : undefined;
  if (!before && existsSync(folder) && !readdirSync(folder).every(isLeftOver))
    throw new UsageError(`--out ${folder} holds files, but none that sbp compress wrote; give a new folder.`);
  if (before) {
    const differs = difference(before, now);
    if (differs)
      throw new UsageError(
        `${folder} holds a compression with another ${differs}; give this one another --out, or delete the folder to begin anew.`,
      );
  }
  return { before, now };
}

/**
 * Makes a folder ready for a compression. Another target begins anew where the noise has been trained, another fine-tuning where the model has been cut; what they stand on stays.
 *
 * @returns whether its result is there; or the target of the one that is, and that this one will take the place of
 * @throws UsageError as {@link checkFolder}
 */
export function openFolder(
  paths: CompressPaths,
  settings: CompressSettings,
  sha256: string,
  say: (line: string) => void,
): { isDone: boolean; replaces?: CompressTarget } {
  const { folder, settings: file } = paths;
  const { before, now } = checkFolder(paths, settings, sha256);
  if (before && cutBy(before) !== cutBy(now)) forgetFrom(paths, 'cut');
  else if (before && before.settings.fineTune !== now.settings.fineTune) forgetFrom(paths, 'tune');
  mkdirSync(paths.work, { recursive: true });
  writeJson(file, now);
  seal(folder, BEGIN, [file]);
  return resultThere(paths, settings, say);
}

/** Whether the result that is there is the one that was asked for; or the target of the one that is there. */
export function resultThere(
  paths: CompressPaths,
  settings: Settings & Pick<CompressSettings, 'fineTune'>,
  say: (line: string) => void,
): { isDone: boolean; replaces?: CompressTarget } {
  if (!isStepDone(paths, resultOf(paths), say)) return { isDone: false };
  const { settings: made } = readJson<{ settings: CompressSettings }>(paths.result);
  const isDone = cutBy({ settings: made }) === cutBy({ settings }) && made.fineTune === settings.fineTune;
  return { isDone, ...(!isDone && { replaces: made.target }) };
}

/** What the cut depends on, besides what the noise does. */
type Settings = Pick<CompressSettings, 'target' | 'criterion' | 'rounds' | 'roundTo'>;
const cutBy = ({ settings: { target, criterion, rounds, roundTo } }: { settings: Settings }) =>
  JSON.stringify([target, criterion, rounds, roundTo]);

/** The step that keeps the settings. */
const BEGIN = 'begin';

/** Takes away what later steps have left, whose ground is another one now. */
function forgetFrom(paths: CompressPaths, step: 'cut' | 'tune'): void {
  unsealStep(paths, trainingOf(paths.tune));
  if (step === 'cut') unsealStep(paths, cutOf(paths));
  const stale = [paths.stages, ...(step === 'cut' ? [paths.cutDone] : []), ...Object.values(paths.tune)];
  for (const path of stale) rmSync(path, { recursive: true, force: true });
}

/** Settings as another working directory understands them. */
function placed(settings: CompressSettings): CompressSettings {
  const { model, data } = settings;
  const isAddress = /^[a-z][a-z0-9+.-]+:\/\//i.test(model);
  return {
    ...settings,
    model: isAddress ? model : resolve(model),
    data: data === null ? null : resolve(data),
  };
}

/** The settings of a compression that was begun. @throws UsageError where there is none */
export function readSettings({ folder, settings: file }: CompressPaths): CompressSettings {
  if (!existsSync(file))
    throw new UsageError(`${folder} is no folder of sbp compress: it has no compress.json; give its --out.`);
  checkSealed(file);
  return readKept(file).settings;
}

function readKept(file: string): Kept {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
    if (typeof kept.sha256 === 'string' && typeof kept.settings === 'object') return kept;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError(`${file} is not what sbp compress wrote; delete its folder to begin anew.`);
}

function difference(before: Kept, now: Kept): string | undefined {
  if (before.sha256 !== now.sha256) return 'model (its file is not the same)';
  const later = ['target', 'criterion', 'rounds', 'roundTo', 'fineTune', 'model'];
  const [was, is] = [before, now].map(({ settings }) => settings as unknown as Record<string, unknown>);
  for (const key of new Set([...Object.keys(was!), ...Object.keys(is!)])) {
    const [left, right] = [was![key], is![key]];
    if (!later.includes(key) && !isDeepStrictEqual(left, right))
      return `${key} (${JSON.stringify(left) ?? 'none'} there, ${JSON.stringify(right) ?? 'none'} now)`;
  }
  return undefined;
}
