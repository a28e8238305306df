import { modelFiles } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { openModel } from '../run/open-model.js';
import { owned } from '../run/ownership.js';
import { readJson } from '../run/run-folder.js';
import { sha256 } from '../run/seals.js';
import { interruptible } from '../run/signals.js';
import { UsageError } from '../words/failure.js';
import { print } from '../words/words.js';
import { classNames } from './class-names.js';
import { isByNoise } from './criterion.js';
import type { Job } from './job.js';
import { engineFor, openJob } from './open-job.js';
import { compressPaths } from './paths.js';
import type { CompressResult } from './report/result.js';
import { resultLines } from './report/result-lines.js';
import { type CompressSettings, checkFolder, openFolder } from './settings.js';
import { cutStep } from './steps/cut.js';
import { finishStep } from './steps/finish.js';
import { measureStep } from './steps/measure.js';
import { noiseStep } from './steps/noise.js';
import { roundsStep } from './steps/rounds.js';
import { searchStep } from './steps/search.js';
import { tuneStep } from './steps/tune.js';
import { compressWithoutData } from './steps/without-data.js';
import { hasParts, targetWords } from './targets/targets.js';

export interface CompressOptions {
  /** The result goes to standard output as JSON, all else to standard error. */
  json?: boolean;
}

/**
 * `sbp compress`: a model, data and a target become a smaller model that does the same. What is there already is not done again.
 */
export function compress(asked: CompressSettings, out: string, options: CompressOptions): Promise<void> {
  return interruptible(() => compressTo(asked, out, options));
}

async function compressTo(
  asked: CompressSettings,
  out: string,
  { json = false }: CompressOptions,
): Promise<void> {
  const began = performance.now();
  const stream = json ? process.stderr : process.stdout;
  const paths = compressPaths(out);
  const settings = { ...asked, classes: classNames(asked.model, asked.classes) };
  if (settings.rounds > 1 && (isByNoise(settings.criterion) || !hasParts(settings.target)))
    throw new UsageError(
      `--rounds ${settings.rounds} goes with a target of macs, params or bytes, and with a --criterion that needs no noise, such as taylor.`,
    );
  if (settings.gather && (settings.data === null || !isByNoise(settings.criterion)))
    throw new UsageError(
      '--gather goes with --data and a --criterion by noise, such as snr, which finds the units that can go.',
    );
  const on = await engineFor(paths, settings);
  const original = await openModel(settings.model);
  const files = await modelFiles(original);
  const own = sha256(files['model.json']) + sha256(files['weights.bin']);
  // before anything is written to what may be somebody else's folder
  checkFolder(paths, settings, own);
  await owned(paths.folder, () =>
    compressIn(original, { paths, settings, on, stream }, { own, json, began }),
  );
}

async function compressIn(
  original: tf.LayersModel,
  { paths, settings, on, stream }: Pick<Job, 'paths' | 'settings' | 'on' | 'stream'>,
  { own, json, began }: { own: string; json: boolean; began: number },
): Promise<void> {
  const say = (line: string) => stream.write(`${line}\n`);
  const { isDone, replaces } = openFolder(paths, settings, own, say);
  if (isDone) {
    const result = readJson<CompressResult>(paths.result);
    const words = 'curve' in result ? resultLines(result, paths) : `${paths.model}`;
    if (json) print(JSON.stringify(result, undefined, 2));
    else say(`${paths.folder} is done; this is what it came to.\n\n${words}`);
    return;
  }
  if (replaces)
    say(
      `This takes the place of what --target ${targetWords(replaces)} came to in ${paths.folder}, when it is done; with another --out both stay.`,
    );
  if (settings.data === null) {
    const line = await compressWithoutData(original, { settings, paths });
    if (json) print(JSON.stringify(readJson(paths.result), undefined, 2));
    else say(line);
    return;
  }
  const job = await openJob(original, { paths, settings, on, stream }, settings.data);
  const measured = await measureStep(job, began);
  await noiseStep(job, measured);
  const result = await finishStep(await cutAndTuned(job), measured);
  if (json) print(JSON.stringify(result, undefined, 2));
  else say(`\n${resultLines(result, paths)}`);
}

/** Cuts and fine-tunes, once or several times; the job with the paths of what is taken. */
async function cutAndTuned(job: Job): Promise<Job> {
  const { target, rounds } = job.settings;
  if ('error' in target) return { ...job, paths: await searchStep(job, target.error) };
  if (rounds > 1) return { ...job, paths: await roundsStep(job) };
  await cutStep(job);
  await tuneStep(job);
  return job;
}
