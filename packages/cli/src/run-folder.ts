import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { EpochMetrics } from '@sbp/train';
import { UsageError } from './failure.js';
import type { RunConfig } from './run-config.js';

/** Paths of what a run leaves behind. */
export function runPaths(folder: string) {
  const at = (name: string) => join(folder, name);
  return {
    folder,
    config: at('config.json'),
    metrics: at('metrics.jsonl'),
    checkpoint: at('checkpoint.bin'),
    trained: at('trained'),
    noisy: at('noisy'),
    pruned: at('pruned'),
    table: at('table.md'),
    trainingChart: at('training.svg'),
    widthsChart: at('widths.svg'),
    /** Written last: where it is, the run is done. */
    result: at('result.json'),
  };
}

export type RunPaths = ReturnType<typeof runPaths>;

/**
 * Whether a run can go to this folder: a new one, or one that holds a run of the same config.
 *
 * @throws UsageError naming the field that differs, or what else is there
 */
export function checkRunFolder({ folder, config: file }: RunPaths, config: RunConfig): void {
  for (const path of [dirname(folder), folder])
    if (existsSync(path) && !statSync(path).isDirectory())
      throw new UsageError(
        `${path} is a file, where runs are kept in folders; give another --runs or --name.`,
      );
  if (!existsSync(folder)) return;
  if (!existsSync(file)) {
    if (readdirSync(folder).length === 0) return;
    throw new UsageError(`${folder} holds files but no run (no config.json); give another --name or --runs.`);
  }
  const difference = firstDifference(readConfig(file), JSON.parse(JSON.stringify(config)), '');
  if (difference)
    throw new UsageError(
      `${folder} holds a run with another ${difference}; give this one another --name, or delete the folder to run it anew.`,
    );
}

function readConfig(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`${file} is not the JSON that sbp wrote; delete its folder to run anew.`);
  }
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

/** Makes the folder, and brings `metrics.jsonl` to what is known: a killed run may have left it a line short, or half a line. */
export function beginRun(paths: RunPaths, config: RunConfig, history: readonly EpochMetrics[]): void {
  mkdirSync(paths.folder, { recursive: true });
  if (!existsSync(paths.config)) writeAtomically(paths.config, `${JSON.stringify(config, undefined, 2)}\n`);
  writeAtomically(paths.metrics, history.map(metricsLine).join(''));
}

/** Adds an epoch's line. */
export function appendMetrics({ metrics }: RunPaths, epoch: EpochMetrics): void {
  appendFileSync(metrics, metricsLine(epoch));
}

const metricsLine = (epoch: EpochMetrics) => `${JSON.stringify(epoch)}\n`;

/** Writes a file so that it is there whole or as it was before, whatever happens meanwhile. */
export function writeAtomically(file: string, data: string | Buffer): void {
  const temporary = `${file}.tmp`;
  const handle = openSync(temporary, 'w');
  try {
    const bytes = Buffer.from(data as string);
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
}
