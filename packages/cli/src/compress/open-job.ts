import type { Dataset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { defaultReplicas, errorTitle, objectiveOf, withTeacher } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { dataFor } from '../run/data/data-for.js';
import type { RunData } from '../run/data/run-data.js';
import type { TrainedOn } from '../run/run.js';
import { readJson } from '../run/run-folder.js';
import { installReporter } from '../words/install-progress.js';
import { count, plural } from '../words/words.js';
import { isByNoise } from './criterion.js';
import { isStepDone } from './done.js';
import { type Job, STEPS } from './job.js';
import type { CompressPaths } from './paths.js';
import type { CompressSettings } from './settings.js';
import type { Measured } from './steps/measure.js';
import { dataLine, lossLines, targetLine } from './understand.js';

/** Epochs that large data gets at least. */
const EPOCHS = 6;

/** What computes: what was begun on one engine ends on it, to the same bits. */
export async function engineFor(
  paths: CompressPaths,
  { engine: asked, replicas }: CompressSettings,
): Promise<TrainedOn> {
  const begun = isStepDone(paths, [paths.measured], () => {})
    ? readJson<Measured>(paths.measured).on
    : undefined;
  const engine = await useEngine((begun?.engine ?? asked) as Parameters<typeof useEngine>[0]);
  return { engine, replicas: begun?.replicas ?? (replicas || (await defaultReplicas(engine.name))) };
}

/** What a compression needs. @param data where its data is */
export async function openJob(
  original: tf.LayersModel,
  { paths, settings, on, stream }: Pick<Job, 'paths' | 'settings' | 'on' | 'stream'>,
  source: string,
): Promise<Job> {
  const say = (line: string) => stream.write(`${line}\n`);
  const { engine, replicas } = on;
  say(`Model: ${settings.model}, ${modelLine(original)}`);
  const { notes, ...read } = await dataFor(original, { ...settings, data: source }, stream);
  say(`Data: ${source}, ${dataLine(read)}; ${targetLine(read.train)}`);
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
    on,
    data: { ...data, train },
    // what is not trained with noise has the time of it
    fineTune: settings.fineTune || (isByNoise(settings.criterion) ? epochs : 2 * epochs),
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
  return job;
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
