import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { UsageError } from '../words/failure.js';
import { paperNetNames } from '../config/paper-nets.js';
import { isDone, phaseNames, phases } from '../run/phases/phases.js';
import { runConfigSchema } from '../config/run-config.js';
import { budgets, methodNames } from '../config/run-fields.js';
import { readConfig, runPaths } from '../run/run-folder.js';
import { checkSealed } from '../run/seals.js';

const spread = z.object({ median: z.number(), q1: z.number(), q3: z.number() });

const epochs = z
  .array(
    z.object({
      epoch: z.number(),
      loss: z.number(),
      kl: z.number(),
      error: z.number(),
      trainError: z.number(),
      validationError: z.number().optional(),
      kept: z.record(z.string(), z.number()),
      total: z.record(z.string(), z.number()),
      seconds: z.number(),
    }),
  )
  .min(1);

/** What tables, plots and reports read of a run's `result.json`. */
const resultSchema = z.object({
  config: runConfigSchema,
  version: z.string(),
  environment: z.object({
    cpu: z.string(),
    cores: z.number(),
    platform: z.string(),
    node: z.string(),
    tfjs: z.string(),
  }),
  engine: z.object({ name: z.string(), version: z.string(), device: z.string() }),
  replicas: z.number(),
  /** What the figures called errors are; left out, `error %`. */
  measure: z.string().optional(),
  examples: z.object({ train: z.number(), validation: z.number().optional(), test: z.number() }).optional(),
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
  /** What became of each layer, where something was cut. */
  report: z
    .object({
      layers: z.array(
        z.object({ name: z.string(), groups: z.number(), kept: z.number(), notes: z.array(z.string()) }),
      ),
    })
    .optional(),
  agreement: z
    .object({ examples: z.number(), maxDifference: z.number(), otherPredictions: z.number() })
    .optional(),
  runtimes: z.array(z.string()),
  history: epochs,
  fineTuning: z.object({ history: epochs }).optional(),
});
export type Result = z.output<typeof resultSchema> & {
  /** The run's own folder, where it was read from there. */
  folder?: string;
};

const publishedSchema = z.strictObject({
  net: z.enum(paperNetNames),
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
 * Reads results of runs and sweeps: of runs' folders their result.json, of other folders all `*.json`, and files.
 *
 * @throws UsageError that names a file which is none or a run that is not done, or says that there is nothing
 */
export function readResults(paths: readonly string[]): { results: Result[]; sweeps: SweepResult[] } {
  const files = paths.flatMap(resultFiles);
  if (files.length === 0)
    throw new UsageError(`${paths.join(', ')}: there is no .json; give result.json files of runs.`);
  const what = 'the result.json of a run of this version';
  const all = files.map((file) => ({ file, json: readJson(file, what) }));
  const isSweep = ({ json }: { json: unknown }) =>
    typeof json === 'object' && json !== null && 'sweep' in json;
  return {
    results: all
      .filter((one) => !isSweep(one))
      .map(({ file, json }) => ({ ...checked(file, json, resultSchema, what), ...runOf(file) })),
    sweeps: all
      .filter(isSweep)
      .map(({ file, json }) => checked(file, json, sweepSchema, 'what sbp sweep-threshold wrote')),
  };
}

function resultFiles(path: string): string[] {
  if (!stat(path).isDirectory()) return [path];
  const { config: file, result } = runPaths(path);
  if (existsSync(result)) {
    checkSealed(result);
    return [result];
  }
  if (!existsSync(file))
    return readdirSync(path)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(path, name));
  const config = readConfig(file);
  const next = phaseNames.find((name) => phases[name].applies(config) && !isDone(name, runPaths(path)));
  throw new UsageError(
    `${path} is not done: its phase ${next ?? 'bench'} is still to come; the sbp train that began it goes on from there.`,
  );
}

/** A result.json that lies in the folder of its run. */
function runOf(file: string): { folder?: string } {
  const folder = dirname(file);
  return basename(file) === 'result.json' && existsSync(runPaths(folder).config) ? { folder } : {};
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
