import { existsSync } from 'node:fs';
import type { Dataset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { loadModel, modelFiles } from '@sbp/model';
import { defaultReplicas, errorTitle, objectiveOf, withTeacher } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { dataFor } from '../run/data/data-for.js';
import type { RunData } from '../run/data/run-data.js';
import { readJson } from '../run/run-folder.js';
import { installReporter } from '../words/install-progress.js';
import { count, plural, print } from '../words/words.js';
import { classNames } from './class-names.js';
import { type Job, STEPS } from './job.js';
import type { CompressResult } from './report/result.js';
import { resultLines } from './report/result-lines.js';
import { type CompressSettings, compressPaths, openFolder, sha256Of } from './settings.js';
import { cutStep } from './steps/cut.js';
import { finishStep } from './steps/finish.js';
import { type Measured, measureStep } from './steps/measure.js';
import { noiseStep } from './steps/noise.js';
import { tuneStep } from './steps/tune.js';
import { compressWithoutData } from './steps/without-data.js';
import { dataLine, lossLines, targetLine } from './understand.js';

export interface CompressOptions {
  /** The result goes to standard output as JSON, all else to standard error. */
  json?: boolean;
}

/** Epochs that large data gets at least. */
const EPOCHS = 6;

/**
 * `sbp compress`: a model, data and a target become a smaller model that does the same. What is there already is not done again.
 */
export async function compress(
  asked: CompressSettings,
  out: string,
  { json = false }: CompressOptions,
): Promise<void> {
  const began = performance.now();
  const stream = json ? process.stderr : process.stdout;
  const say = (line: string) => stream.write(`${line}\n`);
  const paths = compressPaths(out);
  const settings = { ...asked, classes: classNames(asked.model, asked.classes) };
  // what was begun on one engine ends on it, to the same bits
  const begun = existsSync(paths.measured) ? readJson<Measured>(paths.measured).on : undefined;
  const engine = await useEngine((begun?.engine ?? settings.engine) as Parameters<typeof useEngine>[0]);
  const original = await loadModel(settings.model);
  const files = await modelFiles(original);
  const sha256 = sha256Of(files['model.json']) + sha256Of(files['weights.bin']);
  openFolder(paths, settings, sha256);
  if (existsSync(paths.result)) {
    const result = readJson<CompressResult>(paths.result);
    const words = 'curve' in result ? resultLines(result, paths) : `${paths.model}`;
    if (json) print(JSON.stringify(result, undefined, 2));
    else say(`${paths.folder} is done; this is what it came to.\n\n${words}`);
    return;
  }
  if (settings.data === null) {
    const line = await compressWithoutData(original, { settings, paths });
    if (json) print(JSON.stringify(readJson(paths.result), undefined, 2));
    else say(line);
    return;
  }
  const replicas = begun?.replicas ?? (settings.replicas || (await defaultReplicas(engine.name)));
  say(`Model: ${settings.model}, ${modelLine(original)}`);
  const { notes, ...read } = await dataFor(original, { ...settings, data: settings.data }, stream);
  say(`Data: ${settings.data}, ${dataLine(read)}; ${targetLine(read.train)}`);
  for (const note of notes) say(`  ${note}`);
  const known = read.train.targets.length > 0;
  const teach = (set: Dataset) => taughtBy(original, set, stream);
  const data = known ? read : await taught(read, teach);
  const config = { loss: settings.loss, labelSmoothing: 0 };
  const objective = objectiveOf(original, data.test, config);
  for (const line of lossLines(objective)) say(line);
  const distilled = settings.distill || !known;
  const train = distilled && known ? await teach(data.train) : data.train;
  const perEpoch = Math.ceil(train.size / settings.batchSize);
  const epochs = settings.epochs || Math.min(60, Math.max(EPOCHS, Math.ceil(STEPS / perEpoch)));
  const job: Job = {
    ...{ settings, paths, stream, say, original, objective },
    on: { engine, replicas },
    data: { ...data, train },
    fineTune: settings.fineTune || epochs,
    train: {
      epochs,
      ...{
        batchSize: settings.batchSize,
        learningRate: settings.learningRate,
        seed: settings.seed,
        replicas,
      },
      beta1: 0.9,
      ...(settings.loss !== undefined && { loss: settings.loss }),
      ...(distilled && { distillation: { weight: known ? 0.5 : 1, temperature: 2 } }),
    },
  };
  say(
    `Engine: ${engine.name} ${engine.version} (${engine.device}), ${plural(replicas, 'replica')}. Measured is ${errorTitle(objective)}${distilled ? '; the model as it is teaches' : ''}.`,
  );
  const measured = await measureStep(job, began);
  await noiseStep(job);
  await cutStep(job);
  await tuneStep(job);
  const result = await finishStep(job, measured);
  if (json) print(JSON.stringify(result, undefined, 2));
  else say(`\n${resultLines(result, paths)}`);
}

/** Data without labels, with what the model says of it in their place. */
async function taught(data: RunData, teach: (set: Dataset) => Promise<Dataset>): Promise<RunData> {
  return {
    train: await teach(data.train),
    test: await teach(data.test),
    ...(data.validation && { validation: await teach(data.validation) }),
  };
}

/** What the model says of each example, which takes as long as it takes. */
async function taughtBy(
  original: tf.LayersModel,
  set: Dataset,
  stream: NodeJS.WriteStream,
): Promise<Dataset> {
  const reporter = installReporter(stream);
  const message = 'the model as it is says what it makes of each example';
  try {
    return await withTeacher(set, original, {
      onProgress: (done, total) =>
        reporter.progress({ step: 'teacher', message, done, total, amount: count }),
    });
  } finally {
    reporter.stop();
  }
}

function modelLine(model: tf.LayersModel): string {
  const shapes = (tensors: tf.SymbolicTensor[]) =>
    tensors
      .map(({ shape }) =>
        shape
          .slice(1)
          .map((size) => size ?? '?')
          .join('×'),
      )
      .join(', ');
  return `${plural(model.layers.length, 'layer')}, ${count(model.countParams())} parameters; takes ${shapes(model.inputs)}, gives ${shapes(model.outputs)}`;
}
