import { availableParallelism } from 'node:os';
import { groupCounts } from '@sbp/layers';
import {
  type EpochMetrics,
  type Steering,
  type TrainConfig,
  TrainError,
  type TrainHooks,
  type TrainState,
  train,
} from '@sbp/train';
import { type Checkpoint, writeCheckpoint } from '@sbp/train/checkpoint';
import { tensorboardWriter, writeEpoch } from '@sbp/train/tensorboard';
import type * as tf from '@tensorflow/tfjs';
import { RunError } from '../words/failure.js';
import { trainReporter } from '../words/progress.js';
import { count, duration, plural } from '../words/words.js';
import type { RunData } from './data/run-data.js';
import type { TrainedOn } from './run.js';
import { appendMetrics, writeJson, writeMetrics } from './run-folder.js';
import { ending } from './signals.js';

/** Where a training is kept and shown. */
interface Place {
  folder: string;
  stream: NodeJS.WriteStream;
  say(line: string): void;
  /** How often the state is kept within epochs, which are kept at their ends. */
  checkpointMinutes?: number;
}

/** One training of a run: of its network, or of the smaller one after the cut. */
interface Training {
  model: tf.LayersModel;
  data: RunData;
  settings: TrainConfig & { epochs: number };
  on: TrainedOn;
  /** Where an earlier call was stopped. */
  saved: Checkpoint | undefined;
  files: { checkpoints: string; metrics: string; events: string };
  /** What the model is trained with beside what it is. */
  dressed?(model: tf.LayersModel): tf.LayersModel;
  steer?: Steering;
  /** What the figure called an error is; default `error %`. */
  measure?: string;
}

/** Trains to the end, keeping the state every few minutes and after every epoch, and shows how it goes. */
export async function trainToEnd(
  { folder, stream, say, checkpointMinutes }: Place,
  { model: plain, data, settings, on, saved, files, dressed, steer, measure }: Training,
): Promise<EpochMetrics[]> {
  const { epochs } = settings;
  const cores = availableParallelism();
  if (on.replicas > cores && !/GPU/.test(on.engine.device))
    say(
      `Starting ${plural(on.replicas, 'replica')} on ${plural(cores, 'core')}: they take turns, and each takes its memory and time to start; --replicas ${cores} is faster.`,
    );
  const model = dressed?.(plain) ?? plain;
  const history = [...(saved?.history ?? [])];
  writeMetrics(files.metrics, history);
  const events = tensorboardWriter(files.events, { from: history.length + 1 });
  const reporter = trainReporter(stream, epochs, history, { total: groupsOf(model), measure });
  let last = saved?.state;
  const stop = new AbortController();
  const work = {
    stop: () => stop.abort(),
    last() {
      reporter.stop();
      return kept(folder, last, epochs);
    },
  };
  if (saved) say(`Going on from ${place(saved.state)} of ${epochs}, kept in ${folder}`);
  const keep = (state: TrainState) => {
    writeCheckpoint(files.checkpoints, { engine: on.engine.name, replicas: on.replicas, history, state });
    last = state;
  };
  const hooks: TrainHooks = {
    resume: saved?.state,
    signal: stop.signal,
    onProgress: (progress) => reporter.progress(progress),
    checkpointMinutes,
    steer,
    onCheckpoint: keep,
    onEpoch: (metrics, state) => {
      history.push(metrics);
      // The metrics are brought to what the checkpoint says when the run goes on; events can only be dropped then.
      writeEpoch(events, metrics, model);
      keep(state);
      appendMetrics(files.metrics, metrics);
      reporter.epoch(metrics);
    },
  };
  try {
    await ending(work, () => train(model, data, settings, hooks));
  } catch (error) {
    // nothing is wrong with what was asked for
    if (error instanceof TrainError && error.code === 'replica-died')
      throw new RunError(`${error.message}. ${kept(folder, last, epochs)}`);
    throw error;
  } finally {
    reporter.stop();
    events.close();
  }
  if (model !== plain) {
    plain.setWeights(model.getWeights());
    model.dispose();
  }
  const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  say(`Trained ${plural(history.length, 'epoch')} in ${duration(seconds)}.`);
  return history;
}

/** Leaves word that a training is done, and on what it ran. */
export function writeTrainedOn(file: string, on: TrainedOn, more: object = {}): void {
  writeJson(file, { ...trainedOn(on), ...more });
}

/** As it is written: an engine has more to it. */
export function trainedOn({ engine: { name, version, device }, replicas }: TrainedOn): TrainedOn {
  return { engine: { name, version, device }, replicas };
}

function groupsOf(model: tf.LayersModel): Record<string, number> {
  return Object.fromEntries(groupCounts(model).map(({ name, total }) => [name, total]));
}

/** Where in a training a state was taken. */
function place({ epoch, within }: TrainState): string {
  return within ? `image ${count(within.sums.examples)} of epoch ${epoch + 1}` : `the end of epoch ${epoch}`;
}

function kept(folder: string, state: TrainState | undefined, epochs: number): string {
  if (!state)
    return 'Stopped before this training had anything to keep; the same command begins it anew, and what was done before it stays.';
  return `Stopped; kept in ${folder} up to ${place(state)} of ${epochs}: the same command goes on from there.`;
}
