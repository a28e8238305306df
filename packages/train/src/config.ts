import * as z from 'zod';
import { TrainError } from './errors.js';
import { objectiveSchema } from './objective/objective.js';

const lambda = z.number().min(0);

/** The trainer's settings with their defaults; unknown keys are errors. */
export const trainConfigSchema = z.strictObject({
  /** Passes over the training set. */
  epochs: z.int().min(1).default(6),
  /** Examples a step, over all replicas. */
  batchSize: z.int().min(1).default(128),
  /** Adam's rate for the weights. */
  learningRate: z.number().positive().default(1e-3),
  /** Factor on the rate for μ and log σ. */
  noiseRate: z.number().positive().default(10),
  /** Share of the run at constant rate, before the linear decay to 0. */
  decayFrom: z.number().min(0).max(1).default(0.5),
  beta1: z.number().min(0).lt(1).default(0.95),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  /**
   * λ of L2: the objective per example gains λ/N · Σ w² over all kernels, N being the number of training examples; biases, batch norm and
   * noise bear none. `{ from, to }`: it grows linearly from the first step to the last.
   */
  l2: z.union([lambda, z.strictObject({ from: lambda, to: lambda })]).default(0),
  /** Seed of the data's order and of the noise. */
  seed: z.int().min(0).default(0),
  /**
   * Whether to go on with a smaller network as soon as groups of log-normal noise have drowned: those that inference would multiply by 0 at an
   * epoch's end are out of training from then on, and a step takes less time. Off: they may come back, as in the paper.
   */
  shrink: z.boolean().default(false),
  ...objectiveSchema,
  /** How many share each batch, in worker threads, or on GPUs each in a process of its own; 0: one for each core on wasm, one in this thread elsewhere. */
  replicas: z.int().min(0).max(256).default(0),
});

/** What a caller may leave out. */
export type TrainConfig = z.input<typeof trainConfigSchema>;
/** With every default filled in. */
export type ResolvedTrainConfig = z.output<typeof trainConfigSchema>;

/** Fills in defaults. @throws TrainError that names the field, what it is and what was expected */
export function resolveTrainConfig(config: TrainConfig): ResolvedTrainConfig {
  const result = trainConfigSchema.safeParse(config);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new TrainError(`train config: ${issue?.path.join('.') || 'object'}: ${issue?.message}`);
}
