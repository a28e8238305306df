import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EpochMetrics } from '@sbp/train';
import { writeAtomically } from '@sbp/train/checkpoint';
import { type RunConfig, runConfigSchema } from '../config/run-config.js';
import { UsageError } from '../words/failure.js';
import { isLeftOver } from './ownership.js';
import { damageIn, isTextOf, seal } from './seals.js';

/** Paths of what a run leaves behind. */
export function runPaths(folder: string) {
  const at = (name: string) => join(folder, name);
  return {
    folder,
    config: at('config.json'),
    /** A person's own model as it was when the run began. */
    original: at('original'),
    metrics: at('metrics.jsonl'),
    checkpoints: at('checkpoints'),
    /** TensorBoard shows the folder above them as two runs. */
    trainEvents: at(join('events', 'train')),
    fineTuneEvents: at(join('events', 'fine-tune')),
    trained: at('trained'),
    /** Written at the end of the training: on what it ran. */
    training: at('training.json'),
    noisy: at('noisy'),
    pruned: at('pruned'),
    /** Written at the end of the cut: what went, and that the network is the same one. */
    pruning: at('pruning.json'),
    fineTuneMetrics: at('fine-tune.jsonl'),
    fineTuneCheckpoints: at('fine-tune-checkpoints'),
    tuned: at('tuned'),
    /** Written at the end of the fine-tuning: on what it ran. */
    fineTuning: at('fine-tuning.json'),
    /** What the run came to, for ONNX runtimes. */
    onnx: at('network.onnx'),
    table: at('table.md'),
    trainingChart: at('training.svg'),
    widthsChart: at('widths.svg'),
    /** Where there is noise on groups. */
    snrChart: at('snr.svg'),
    /** Written last: where it is, the run is done. */
    result: at('result.json'),
  };
}

export type RunPaths = ReturnType<typeof runPaths>;

/**
 * Whether a run can go to this folder: a new one, or one that holds a run of the same config. Its fine-tuning may be another as long as
 * nothing has been fine-tuned, or what was is to be done again.
 *
 * @returns whether it is another
 * @throws UsageError naming the field that differs, or what else is there
 */
export function checkRunFolder(paths: RunPaths, config: RunConfig, again = false): boolean {
  const { folder, config: file } = paths;
  for (const path of [dirname(folder), folder])
    if (existsSync(path) && !statSync(path).isDirectory())
      throw new UsageError(
        `${path} is a file, where runs are kept in folders; give another --runs or --name.`,
      );
  if (!existsSync(folder)) return false;
  if (!existsSync(file)) {
    // A run that was killed while it wrote its config has only half of it.
    if (readdirSync(folder).every(isLeftOver)) return false;
    throw new UsageError(`${folder} holds files but no run (no config.json); give another --name or --runs.`);
  }
  const before = damageIn(folder, BEGIN)?.file === file ? begunWith(paths, config) : readConfig(file);
  // 'auto' is whatever the run began with
  const engine = before.engine === 'auto' || config.engine === 'auto' ? config.engine : before.engine;
  const difference = firstDifference(compared({ ...before, engine }), compared(config), '');
  if (difference)
    throw new UsageError(
      `${folder} holds a run with another ${difference}; give this one another --name, or delete the folder to run it anew.`,
    );
  const another = firstDifference(before.fineTune, config.fineTune, 'fineTune');
  if (another && !again && (existsSync(paths.fineTuneCheckpoints) || existsSync(paths.fineTuning)))
    throw new UsageError(
      `${folder} was fine-tuned with another ${another}; give this one another --name, or --again to fine-tune that one anew.`,
    );
  return another !== undefined;
}

/** @returns the config, which is that of a run whose own file of it is damaged */
function begunWith({ folder, config: file }: RunPaths, config: RunConfig): RunConfig {
  if (isTextOf(folder, BEGIN, file, textOf(config))) return config;
  throw new UsageError(
    `${file} is damaged (it is not what seals/${BEGIN}.json says), and the run was begun with another config than this one; give that one, or another --name.`,
  );
}

/**
 * The config of a run that was begun, with defaults of fields that came after it.
 *
 * @throws UsageError where the file is not what was written
 */
export function readConfig(file: string): RunConfig {
  const wrong = new UsageError(`${file} is not the JSON that sbp wrote; delete its folder to run anew.`);
  try {
    const result = runConfigSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (result.success) return result.data;
    throw wrong;
  } catch (error) {
    throw error instanceof SyntaxError ? wrong : error;
  }
}

/** What makes a run another one: its title and how it is timed do not, nor what comes after its training. */
function compared({ bench, title, fineTune, ...config }: RunConfig): unknown {
  return JSON.parse(JSON.stringify(config));
}

function firstDifference(before: unknown, now: unknown, path: string): string | undefined {
  if (isDeepStrictEqual(before, now)) return undefined;
  if (!isPlain(before) || !isPlain(now)) {
    const text = (value: unknown) => JSON.stringify(value) ?? 'not set';
    return `${path || 'config'}: ${text(before)} there, ${text(now)} now`;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const found = firstDifference(before[key], now[key], path ? `${path}.${key}` : key);
    if (found) return found;
  }
  return undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The step that leaves a run's config. */
export const BEGIN = 'begin';

/** Makes the folder, with its config. */
export function beginRun({ folder, config: file }: RunPaths, config: RunConfig): void {
  mkdirSync(folder, { recursive: true });
  writeJson(file, config);
  seal(folder, BEGIN, [file]);
}

/** Brings a file of metrics to what is known: a killed run may have left it a line short, or half a line. */
export function writeMetrics(file: string, history: readonly EpochMetrics[]): void {
  writeAtomically(file, history.map(metricsLine).join(''));
}

/** Adds an epoch's line. */
export function appendMetrics(file: string, epoch: EpochMetrics): void {
  appendFileSync(file, metricsLine(epoch));
}

/** The epochs of a file of metrics. */
export function readMetrics(file: string): EpochMetrics[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line, i) => parsed<EpochMetrics>(line, `line ${i + 1} of ${file}`));
}

const metricsLine = (epoch: EpochMetrics) => `${JSON.stringify(epoch)}\n`;

export function writeJson(file: string, value: unknown): void {
  writeAtomically(file, textOf(value));
}

/** As it is written. */
export const textOf = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

export function readJson<T>(file: string): T {
  return parsed<T>(readFileSync(file, 'utf8'), file);
}

function parsed<T>(json: string, where: string): T {
  try {
    return JSON.parse(json) as T;
  } catch (error) {
    throw new UsageError(
      `${where} is not the JSON that sbp wrote (${(error as Error).message}); delete the file, and the same command makes it anew.`,
    );
  }
}
