import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UsageError } from './failure.js';
import { budgets, methodNames, netNames, runConfigSchema } from './run-config.js';

const spread = z.object({ median: z.number(), q1: z.number(), q3: z.number() });

/** What tables and plots read of a run's `result.json`. */
const resultSchema = z.object({
  config: runConfigSchema,
  environment: z.object({ cpu: z.string(), cores: z.number(), platform: z.string(), node: z.string() }),
  engine: z.object({ name: z.string(), version: z.string(), device: z.string() }),
  rows: z
    .array(
      z.object({
        method: z.string(),
        error: z.number().nullable(),
        widths: z.string(),
        parameters: z.number(),
        macs: z.number(),
        reduction: z.number(),
        zeroRowMacs: z.number(),
        bytes: z.number(),
        speedups: z
          .array(
            z.object({
              runtime: z.enum(['onnxruntime', 'tensorflow', 'wasm', 'webgpu', 'cpu']),
              device: z.string(),
              batchSize: z.number(),
              speedup: spread,
            }),
          )
          .nullable(),
      }),
    )
    .min(1),
  history: z
    .array(
      z.object({
        epoch: z.number(),
        error: z.number(),
        trainError: z.number(),
        kept: z.record(z.string(), z.number()),
        total: z.record(z.string(), z.number()),
      }),
    )
    .min(1),
});
export type Result = z.output<typeof resultSchema>;

const publishedSchema = z.strictObject({
  net: z.enum(netNames),
  /** Where the figures come from. */
  source: z.string().min(1),
  /** What a reader has to know to compare them. */
  note: z.string().optional(),
  rows: z
    .array(
      z.strictObject({
        method: z.enum(methodNames),
        /** Default: the method's name. */
        title: z.string().optional(),
        error: z.number(),
        widths: z.string().optional(),
        cpu: z.number().optional(),
        gpu: z.number().optional(),
        reduction: z.number(),
      }),
    )
    .min(1),
});
const sweepSchema = z.object({
  sweep: z.string(),
  title: z.string(),
  net: z.string(),
  budget: z.enum(budgets),
  rows: z.array(z.object({ macs: z.number(), errors: z.record(z.string(), z.number()) })).min(1),
});
/** What plots read of a sweep over thresholds. */
export type SweepResult = z.output<typeof sweepSchema>;

/** Figures that were published for a network, to stand beside ours. */
export type Published = z.output<typeof publishedSchema>;

/**
 * Reads results of runs and sweeps: files, and all `*.json` of folders.
 *
 * @throws UsageError that names a file which is none, or says that there are none
 */
export function readResults(paths: readonly string[]): { results: Result[]; sweeps: SweepResult[] } {
  const files = paths.flatMap((path) =>
    stat(path).isDirectory()
      ? readdirSync(path)
          .filter((name) => name.endsWith('.json'))
          .sort()
          .map((name) => join(path, name))
      : [path],
  );
  if (files.length === 0)
    throw new UsageError(`${paths.join(', ')}: there is no .json; give result.json files of runs.`);
  const what = 'the result.json of a run of this version';
  const all = files.map((file) => ({ file, json: readJson(file, what) }));
  const isSweep = ({ json }: { json: unknown }) =>
    typeof json === 'object' && json !== null && 'sweep' in json;
  return {
    results: all
      .filter((one) => !isSweep(one))
      .map(({ file, json }) => checked(file, json, resultSchema, what)),
    sweeps: all
      .filter(isSweep)
      .map(({ file, json }) => checked(file, json, sweepSchema, 'what sbp sweep-threshold wrote')),
  };
}

export function readPublished(file: string): Published {
  stat(file);
  const what = 'published figures { net, source, rows: [{ method, error, widths, reduction }] }';
  return checked(file, readJson(file, what), publishedSchema, what);
}

function stat(path: string) {
  try {
    return statSync(path);
  } catch {
    throw new UsageError(`${path}: there is no such file or folder; give result.json files of runs.`);
  }
}

function readJson(file: string, what: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} is not JSON (${(error as Error).message}); expected ${what}.`);
  }
}

function checked<T extends z.ZodType>(file: string, json: unknown, schema: T, what: string): z.output<T> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new UsageError(`${file} is not ${what}: ${path.join('.') || 'all of it'}: ${message}.`);
}
