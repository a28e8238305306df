import * as z from 'zod';
import type { LossFunction } from './losses.js';

const oneLoss = z.union([
  z.string(),
  z.custom<LossFunction>((value) => typeof value === 'function', { error: 'expected a name or a function' }),
]);
const share = z.number().min(0).max(1);

/** What is minimised besides KL and regularisers: the part of the trainer's settings that speaks of outputs. */
export const objectiveSchema = {
  loss: z
    .union([oneLoss, z.record(z.string(), oneLoss)])
    .optional()
    .describe(
      "Loss by Keras's name, or in code a function of tensors; or one by output. Default: what the model's file says it was compiled with; else cross-entropy for classes and labels, mean squared error for values.",
    ),
  lossWeights: z
    .record(z.string(), z.number().min(0))
    .optional()
    .describe("Factor on the loss of each output. Default: what the model's file says, else 1."),
  metrics: z
    .union([z.array(z.string()), z.record(z.string(), z.array(z.string()))])
    .optional()
    .describe(
      "Metrics by Keras's names, or lists by output, worked out after each epoch beside the error, which they never replace. Default: what the model's file says.",
    ),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Share of each target that cross-entropies spread evenly over all classes, 0 to 1.'),
  classWeights: z
    .array(z.number().min(0))
    .optional()
    .describe("Factor on the loss of each class's examples, in the classes' order. Default 1."),
  distillation: z
    .strictObject({
      weight: share
        .default(0.5)
        .describe("The teacher's share of the loss, 0 to 1; the labels have the rest."),
      temperature: z
        .number()
        .positive()
        .default(2)
        .describe('Logits of teacher and student are divided by it; 1 leaves probabilities as they are.'),
    })
    .optional()
    .describe('Learn from what another model says of the same examples (Hinton, Vinyals & Dean 2015), too.'),
};

/** The settings that {@link objectiveSchema} gives. */
export type ObjectiveConfig = z.output<z.ZodObject<typeof objectiveSchema>>;
