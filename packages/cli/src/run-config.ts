import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { trainConfigSchema } from '@sbp/train';
import * as z from 'zod';
import { configProblem } from './config-problem.js';
import { UsageError } from './failure.js';

/** What each data set has; networks are built for its images. */
export const dataSets = {
  mnist: { title: 'MNIST', shape: [28, 28, 1], trainExamples: 60_000 },
  cifar10: { title: 'CIFAR-10', shape: [32, 32, 3], trainExamples: 50_000 },
} as const;

/** The networks of the paper's tables, and the images that they take. */
export const netNames = ['lenet5', 'lenet-fc', 'vgg-like'] as const;
const imagesOf = { lenet5: 'mnist', 'lenet-fc': 'mnist', 'vgg-like': 'cifar10' } as const;

export const engineNames = ['auto', 'tensorflow', 'wasm', 'cpu'] as const;

/** A run of `sbp train`, with its defaults; unknown keys are errors. */
export const runConfigSchema = z
  .strictObject({
    /** Names the run's folder. */
    name: z
      .string()
      .regex(/^[\w][\w.-]*$/, { error: 'letters, digits and . _ - only, as it names a folder' }),
    net: z.enum(netNames),
    /** Multiplies every width of vgg-like. */
    scale: z.number().positive().max(8).optional(),
    data: z
      .strictObject({
        set: z.enum(['mnist', 'cifar10']).default('mnist'),
        /** Canonical files of the user's own; relative to the config file. Left out, the npm package's are used. */
        folder: z.string().min(1).optional(),
        /** Only the first so many of the training set. */
        trainExamples: z.int().min(1).optional(),
      })
      .prefault({}),
    noise: z
      .strictObject({
        /** Weight of each group's KL: a number, or 'macs' for what the group costs. */
        klWeight: z.union([z.literal('macs'), z.number().min(0)]).default('macs'),
        /** Multiplies klWeight: how hard to prune. */
        klScale: z.number().min(0).default(1),
        /** Initial log σ. */
        logSigmaInit: z.number().min(-20).max(5).default(-3),
        /** Groups whose signal-to-noise ratio is not above this go. */
        threshold: z.number().min(0).default(1),
        /** Support [a, b] of log θ. */
        bounds: z.strictObject({ a: z.number(), b: z.number() }).optional(),
      })
      .prefault({}),
    train: trainConfigSchema.prefault({}),
    engine: z.enum(engineNames).default('auto'),
    bench: z
      .strictObject({
        /** Examples in a call. */
        batchSizes: z.array(z.int().min(1)).min(1).default([1, 100]),
        /** Measured rounds. */
        repeats: z.int().min(1).default(12),
      })
      .prefault({}),
  })
  .superRefine(({ net, scale, data, noise }, context) => {
    const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (scale !== undefined && net !== 'vgg-like')
      wrong(['scale'], "left out: only the net 'vgg-like' has one");
    if (imagesOf[net] !== data.set)
      wrong(['data', 'set'], `'${imagesOf[net]}', the images that '${net}' takes`);
    const most = dataSets[data.set].trainExamples;
    if ((data.trainExamples ?? 0) > most)
      wrong(['data', 'trainExamples'], `at most ${most}, as ${data.set} has no more`);
    if (noise.bounds && noise.bounds.a >= noise.bounds.b) wrong(['noise', 'bounds'], 'a below b');
  });

/** What a config file may leave out. */
export type RunConfigInput = z.input<typeof runConfigSchema>;
/** With every default filled in. */
export type RunConfig = z.output<typeof runConfigSchema>;

/** Flags that stand above the config file. */
export interface RunOverrides {
  name?: string;
  engine?: RunConfig['engine'];
  epochs?: number;
  seed?: number;
  replicas?: number;
  trainExamples?: number;
}

const flags: Record<string, [flag: string, override: keyof RunOverrides]> = {
  name: ['--name', 'name'],
  engine: ['--engine', 'engine'],
  'data.trainExamples': ['--train-examples', 'trainExamples'],
  'train.epochs': ['--epochs', 'epochs'],
  'train.seed': ['--seed', 'seed'],
  'train.replicas': ['--replicas', 'replicas'],
};

/** Reads a config file. @throws UsageError naming the file or flag, the field, what was expected and what was found */
export function readRunConfig(file: string, overrides: RunOverrides = {}): RunConfig {
  const input = merge(readJson(file), overrides);
  const result = runConfigSchema.safeParse(input);
  if (!result.success) {
    const label = (path: string) => {
      const [flag, override] = flags[path] ?? [];
      return override && overrides[override] !== undefined ? `${flag}` : `${file}: ${path || 'the config'}`;
    };
    throw new UsageError(configProblem(runConfigSchema, result.error, input, label));
  }
  const { data, ...config } = result.data;
  const folder = data.folder && resolve(dirname(file), data.folder);
  return { ...config, data: { ...data, ...(folder && { folder }) } };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof SyntaxError)
      throw new UsageError(`${file} is not JSON: ${message}; correct it there.`);
    if (code === 'ENOENT')
      throw new UsageError(
        `${file}: there is no such file; give a config, such as experiments/mnist-lenet5/quickstart.json.`,
      );
    if (code === 'EISDIR') throw new UsageError(`${file} is a folder; give the config file in it.`);
    throw error;
  }
}

/** Lays the flags over what the file says; what is no object is left to the schema. */
function merge(file: unknown, { name, engine, trainExamples, ...train }: RunOverrides): unknown {
  if (!isRecord(file)) return file;
  const over = (part: unknown, values: object) => {
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
    const whole = part === undefined ? {} : part;
    return Object.keys(given).length > 0 && isRecord(whole) ? { ...whole, ...given } : part;
  };
  const merged = over(file, { name, engine }) as Record<string, unknown>;
  return {
    ...merged,
    data: over(merged.data, { trainExamples }),
    train: over(merged.train, train),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
