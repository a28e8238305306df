import type { Dataset, Target } from '@sbp/data';
import type * as tf from '@tensorflow/tfjs';
import * as z from 'zod';
import { TrainError } from '../errors.js';
import { outputKinds } from './heads.js';
import { type LossName, losses, lossNamed, type Said } from './losses.js';
import { type MeasureName, measures } from './measures.js';
import { namesOf } from './names.js';

const share = z.number().min(0).max(1);

/** What is minimised besides KL and regularisers: the part of the trainer's settings that speaks of outputs. */
export const objectiveSchema = {
  loss: z
    .union([z.string(), z.record(z.string(), z.string())])
    .optional()
    .describe(
      "Loss by Keras's name, or one by output. Default: by what the data's targets are: cross-entropy for classes and labels, mean squared error for values.",
    ),
  lossWeights: z
    .record(z.string(), z.number().min(0))
    .optional()
    .describe('Factor on the loss of each output. Default 1.'),
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

/** What is minimised, as plain data: it goes to replicas. */
export interface Objective {
  readonly outputs: readonly OutputObjective[];
  readonly distillation?: { readonly weight: number; readonly temperature: number };
}

/** One output's part. */
export interface OutputObjective {
  readonly name: string;
  /** Name of the data set's target that it is to say. */
  readonly target: string;
  /** Numbers of a target that the output's last axis has. */
  readonly units: number;
  /** Name of the one that holds what a teacher says, before its softmax or sigmoid where it ends in one. */
  readonly teacher?: string;
  readonly loss: LossName;
  /** The activation that is still to come where the loss is taken; see `headsOf`. */
  readonly before?: Said['before'];
  readonly weight: number;
  readonly labelSmoothing: number;
  readonly classWeights?: readonly number[];
  readonly measure: MeasureName;
}

/** The settings that {@link objectiveSchema} gives. */
export type ObjectiveConfig = z.output<z.ZodObject<typeof objectiveSchema>>;

/** Name of the target that holds what a teacher says of an output. */
export const teacherTarget = (output: string) => `teacher:${output}`;

const isTeachers = ({ name }: Target) => name.startsWith(teacherTarget(''));

/** Those of a data set's targets that are its own, and not what a teacher says. */
export const ownTargets = (targets: readonly Target[]): Target[] =>
  targets.filter((target) => !isTeachers(target));

/**
 * What training a model on a data set minimises.
 *
 * @throws TrainError where outputs and targets do not fit, naming both and what to do
 */
export function objectiveOf(
  model: tf.LayersModel,
  dataset: Pick<Dataset, 'name' | 'targets'>,
  config: ObjectiveConfig,
): Objective {
  const heads = outputKinds(model);
  const names = namesOf(model, 'output');
  checkNames(names, config);
  const outputs = names.map((name, i): OutputObjective => {
    const target = targetOf(names, i, dataset);
    const { kind } = target;
    const output = (model.outputs[i] as tf.SymbolicTensor).shape.slice(1) as (number | null)[];
    const units = output.at(-1) as number;
    const loss = lossOf(name, kind, units, heads.ends[i], config.loss);
    checkShape(name, output, target, dataset.name, loss);
    const teacher = teacherOf(dataset.targets, name, names.length);
    if (config.distillation && !teacher)
      throw new TrainError(
        `distillation: ${dataset.name} does not hold what a teacher says of the output '${name}'; give it by withTeacher.`,
      );
    const classWeights = config.classWeights;
    if (classWeights && kind === 'classes' && classWeights.length !== Math.max(2, units))
      throw new TrainError(
        `classWeights has ${classWeights.length} numbers, the output '${name}' ${Math.max(2, units)} classes; give one a class.`,
      );
    return {
      ...{ name, target: target.name, units, loss },
      ...withBefore(heads.before[i] ?? (heads.ends[i] ? undefined : logitsOf[loss])),
      ...(config.distillation && teacher && { teacher: teacher.name }),
      weight: config.lossWeights?.[name] ?? 1,
      labelSmoothing: config.labelSmoothing,
      ...(classWeights && { classWeights }),
      measure: measureOf(kind, units, loss, heads.ends[i]),
    };
  });
  return { outputs, ...(config.distillation && { distillation: config.distillation }) };
}

/** What an output without an activation of its own is taken for. */
const logitsOf: Partial<Record<LossName, Said['before']>> = {
  categoricalCrossentropy: 'softmax',
  binaryCrossentropy: 'sigmoid',
};

const withBefore = (before: Said['before']) => (before ? { before } : {});

/** A teacher's words on an output: under its name, or the only ones for the only output. */
function teacherOf(targets: readonly Target[], name: string, outputs: number): Target | undefined {
  const all = targets.filter(isTeachers);
  return (
    all.find((each) => each.name === teacherTarget(name)) ??
    (outputs === 1 && all.length === 1 ? all[0] : undefined)
  );
}

/** The output that stands for all where one figure is shown: the one that weighs most, the first of several. */
export function mainOutput({ outputs }: Objective): number {
  return outputs.reduce(
    (best, { weight }, i) => (weight > (outputs[best] as OutputObjective).weight ? i : best),
    0,
  );
}

/** What the figures called an error are, in words with their unit. */
export function errorTitle(objective: Objective): string {
  return measures[(objective.outputs[mainOutput(objective)] as OutputObjective).measure].title;
}

function targetOf(
  names: readonly string[],
  i: number,
  { name, targets }: Pick<Dataset, 'name' | 'targets'>,
): Target {
  const own = ownTargets(targets);
  if (own.length === 0)
    throw new TrainError(
      `${name} has no targets, so nothing says what is right; give it labels, or train by a teacher alone (withTeacher).`,
    );
  const only = names.length === 1 && own.length === 1 ? own[0] : undefined;
  const found = only ?? own.find((target) => target.name === names[i]);
  if (found) return found;
  throw new TrainError(
    `${name} has no target '${names[i]}', which is an output of the model; it has ${own.map((target) => `'${target.name}'`).join(', ')}: name them as the outputs.`,
  );
}

function checkNames(names: readonly string[], { loss, lossWeights }: ObjectiveConfig): void {
  const given = { ...(typeof loss === 'object' && { loss }), ...(lossWeights && { lossWeights }) };
  for (const [setting, byName] of Object.entries(given))
    for (const name of Object.keys(byName))
      if (!names.includes(name))
        throw new TrainError(
          `${setting}: the model has no output '${name}'; it has ${names.map((each) => `'${each}'`).join(', ')}.`,
        );
}

function lossOf(
  name: string,
  kind: Target['kind'],
  units: number,
  end: Said['before'],
  given: ObjectiveConfig['loss'],
): LossName {
  const wanted = typeof given === 'string' ? given : given?.[name];
  if (wanted !== undefined) {
    const loss = lossNamed(wanted);
    if (loss) return loss;
    throw new TrainError(
      `loss: there is none called '${wanted}'; expected one of ${Object.keys(losses).join(', ')}.`,
    );
  }
  if (kind === 'values') return 'meanSquaredError';
  return kind === 'labels' || units === 1 || end === 'sigmoid'
    ? 'binaryCrossentropy'
    : 'categoricalCrossentropy';
}

function checkShape(
  name: string,
  output: readonly (number | null)[],
  { kind, shape, classes }: Target,
  set: string,
  loss: LossName,
): void {
  const units = output.at(-1) as number;
  const places = kind === 'classes' ? output.slice(0, -1) : output;
  const fits =
    places.length === shape.length && places.every((size, i) => size === null || size === shape[i]);
  // one number each may come without an axis of its own
  const isScalar = kind !== 'classes' && shape.length === 0 && output.length === 1 && units === 1;
  if (!fits && !isScalar)
    throw new TrainError(
      `the model's output '${name}' is ${shown(output)}, the targets of ${set} are ${kind === 'classes' ? `classes of ${shown(shape)}` : shown(shape)}; build the model for them, or give other data.`,
    );
  const count = classes?.length;
  const most = units === 1 ? 2 : units;
  if (
    kind === 'classes' &&
    count !== undefined &&
    (units === 1 || loss === 'binaryCrossentropy' ? count > most : count !== units)
  )
    throw new TrainError(
      `the model has ${units} outputs, ${set} has ${count} classes; give the last layer ${count} units, or other data.`,
    );
}

const shown = (shape: readonly (number | null)[]) =>
  shape.length === 0 ? 'one number' : shape.map((size) => size ?? 'any').join('×');

function measureOf(kind: Target['kind'], units: number, loss: LossName, end: Said['before']): MeasureName {
  if (kind === 'values') return loss === 'meanAbsoluteError' ? 'meanAbsoluteError' : 'rootMeanSquaredError';
  if (kind === 'classes' && units > 1) return 'error';
  return end === 'sigmoid' ? 'binaryError' : 'binaryErrorOfLogits';
}
