import { type Engine, useEngine } from '@sbp/engine';
import { defaultReplicas, type EpochMetrics, withTeacher } from '@sbp/train';
import type { RunConfig } from '../config/run-config.js';
import { loadData, type RunData } from './data/run-data.js';
import { modelAsItIs } from './model/run-model.js';
import { type RunPaths, readJson, readMetrics } from './run-folder.js';

/** A run under way. */
export interface Run {
  config: RunConfig;
  paths: RunPaths;
  /** Where runs are kept. */
  runs: string;
  /** The file that the config was read from. */
  file: string;
  /** Whether the cut also takes out single pixels and flattened units. */
  gather: boolean;
  /** Where progress is shown. */
  stream: NodeJS.WriteStream;
  /** How often the state is kept within epochs, which are kept at their ends. */
  checkpointMinutes?: number;
  say(line: string): void;
}

/** Where its trainings are kept and shown. */
export const placeOf = ({ paths: { folder }, stream, say, checkpointMinutes }: Run) => ({
  ...{ folder, stream, say, checkpointMinutes },
});

/** What a training ran on. */
export interface TrainedOn {
  engine: Pick<Engine, 'name' | 'version' | 'device'>;
  replicas: number;
}

/** What is known of a training that is done. */
export interface Trained extends TrainedOn {
  history: EpochMetrics[];
  /** What the figures called errors are; default `error %`. */
  measure?: string;
  /** How many it trained on, and so on. */
  examples?: ExampleCounts;
}

export interface ExampleCounts {
  train: number;
  validation?: number;
  test: number;
}

/** What it trains and measures on. */
export const dataOf = ({ config, paths, stream }: Run): Promise<RunData> =>
  loadData(config.data, stream, () => modelAsItIs(config, paths));

/** The same for a training, which the model as it is teaches where `distillation` is given. */
export async function trainingData(
  run: Run,
  { distillation }: Pick<RunConfig['train'], 'distillation'>,
): Promise<RunData> {
  const data = await dataOf(run);
  if (!distillation) return data;
  const teacher = await modelAsItIs(run.config, run.paths);
  const train = await withTeacher(data.train, teacher);
  teacher.dispose();
  return { ...data, train };
}

/** Starts what computes: what an interrupted training ran on, else what the config asks for. */
export async function startEngine(
  config: RunConfig,
  saved?: { engine: Engine['name']; replicas: number },
): Promise<TrainedOn & { engine: Engine }> {
  const engine = await useEngine(saved?.engine ?? config.engine);
  const replicas = saved?.replicas ?? (config.train.replicas || (await defaultReplicas(engine.name)));
  return { engine, replicas };
}

/** What the run's training left. */
export function readTrained({ training, metrics }: RunPaths): Trained {
  return { ...readJson<TrainedOn>(training), history: readMetrics(metrics) };
}

/** What its fine-tuning left. */
export function readFineTuned({ fineTuning, fineTuneMetrics }: RunPaths): Trained {
  return { ...readJson<TrainedOn>(fineTuning), history: readMetrics(fineTuneMetrics) };
}

export const lastError = ({ history }: Pick<Trained, 'history'>): number => history.at(-1)!.error;

/** How many examples there are of each part. */
export const countsOf = ({ train, validation, test }: RunData): ExampleCounts => ({
  train: train.size,
  ...(validation && { validation: validation.size }),
  test: test.size,
});
