import * as z from 'zod';
import { TrainError } from './errors.js';
import { objectiveSchema } from './objective/settings.js';
import { optimizerNames, optimizers } from './update/optimizers.js';
import { scheduleNames } from './update/schedule.js';

const lambda = z.number().min(0);
const share = z.number().min(0).lt(1);

/** The trainer's settings with their defaults and what each is; unknown keys are errors. */
export const trainConfigSchema = z.strictObject({
  epochs: z.int().min(1).default(6).describe('Passes over the training set.'),
  batchSize: z.int().min(1).default(128).describe('Examples a step, over all replicas.'),
  optimizer: z
    .enum(optimizerNames)
    .default('adam')
    .describe(
      'What moves the weights: adam, adamw (Adam with decoupled weight decay) or sgd; the noise always has Adam.',
    ),
  learningRate: z
    .number()
    .positive()
    .default(1e-3)
    .describe("The optimizer's rate for the weights, at its highest."),
  noiseRate: z
    .number()
    .positive()
    .default(10)
    .describe(
      "Factor on Adam's rate for the noise's μ and log σ; that rate is learningRate, with sgd 0.001.",
    ),
  schedule: z
    .enum(scheduleNames)
    .default('linear')
    .describe(
      'How the rates go after the warm-up: constant; linear (constant up to decayFrom, then linearly to 0); cosine (to 0 along half a cosine); one-cycle (up from a 25th and down to 0 along cosines).',
    ),
  warmup: share
    .optional()
    .describe('Share of the run, 0 to 1, in which the rates rise. Default 0.25 with one-cycle, else 0.'),
  decayFrom: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Of the schedule linear: share of the run, 0 to 1, before the decay.'),
  beta1: share.default(0.95).describe("Adam's decay of the gradient's running mean."),
  beta2: share.default(0.999).describe("Adam's decay of the squared gradient's running mean."),
  epsilon: z.number().positive().default(1e-8).describe("Adam's ε: what its divisor is at least."),
  momentum: share
    .default(0.9)
    .describe("SGD's decay of the gradients that it sums up; 0: none but the step's own."),
  nesterov: z
    .boolean()
    .default(true)
    .describe("Whether SGD's momentum is Nesterov's, which looks one step ahead."),
  weightDecay: z
    .number()
    .min(0)
    .optional()
    .describe(
      'Decoupled decay: each step takes this times the learning rate off every kernel. Default 0.01 with adamw, 0 with sgd; adam has none.',
    ),
  l2: z
    .union([lambda, z.strictObject({ from: lambda, to: lambda })])
    .default(0)
    .describe(
      'λ: the objective per example gains λ/N · Σ w² over all kernels, N training examples; { from, to }: λ grows linearly from the first step to the last.',
    ),
  clipNorm: z
    .number()
    .positive()
    .optional()
    .describe(
      "Most that the norm of the weights' gradient may be, all weights together and before L2; the noise's is left as it is.",
    ),
  ema: share
    .optional()
    .describe(
      'Decay a step of an exponential moving average of all weights, such as 0.999: it is what is evaluated and what the model holds; left out, the weights themselves.',
    ),
  seed: z.int().min(0).default(0).describe("Seed of the data's order and of the noise."),
  shrink: z
    .boolean()
    .default(false)
    .describe(
      'Go on with a smaller network as soon as groups of log-normal noise have drowned: faster steps, but what has gone stays away.',
    ),
  ...objectiveSchema,
  replicas: z
    .int()
    .min(0)
    .max(256)
    .default(0)
    .describe(
      'How many share each batch, in worker threads, or on GPUs each in a process of its own; 0: one a core on wasm, one in this thread elsewhere.',
    ),
});

/** What a caller may leave out. */
export type TrainConfig = z.input<typeof trainConfigSchema>;
/** With every default filled in. */
export type ResolvedTrainConfig = z.output<typeof trainConfigSchema>;

/** Fills in defaults. @throws TrainError that names the field, what it is and what was expected */
export function resolveTrainConfig(config: TrainConfig): ResolvedTrainConfig {
  const result = trainConfigSchema.safeParse(config);
  if (result.success) return checked(result.data);
  const issue = result.error.issues[0];
  throw new TrainError(`train config: ${issue?.path.join('.') || 'object'}: ${issue?.message}`);
}

function checked(config: ResolvedTrainConfig): ResolvedTrainConfig {
  const { optimizer, weightDecay } = config;
  if (weightDecay !== undefined && optimizers[optimizer].weightDecay === undefined)
    throw new TrainError(
      `train config: weightDecay: ${weightDecay}, but the optimizer ${optimizer} has no decoupled decay: take 'adamw' or 'sgd', or 'l2' in its place.`,
    );
  return config;
}
