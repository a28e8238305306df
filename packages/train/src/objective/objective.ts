import type { Dataset, Target } from '@sbp/data';
import type * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';
import { type CompiledOutput, compiledOutputs } from './compiled.js';
import { type MeasureName, measures } from './figures/measures.js';
import { type MetricName, metric, metricNamed, metricNames } from './figures/metrics.js';
import { outputKinds } from './heads.js';
import { type LossFunction, type LossName, losses, lossNamed, type Said } from './losses.js';
import { checkMasks } from './masks.js';
import { namesOf } from './names.js';
import type { ObjectiveConfig } from './settings.js';

/** What is minimised: plain data that goes to replicas, except where a loss is a function. */
export interface Objective {
  readonly outputs: readonly OutputObjective[];
  /** What of the model's file is not known here, a line each. */
  readonly notes?: readonly string[];
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
  readonly loss: LossName | LossFunction;
  /** Who said it: the settings, the model's file, or, with nothing said, the data's targets. */
  readonly lossFrom: 'settings' | 'file' | 'targets';
  /** What the output's numbers have been through at inference; undefined: neither. */
  readonly end?: Said['before'];
  /** The activation that is still to come where the loss is taken; see `headsOf`. */
  readonly before?: Said['before'];
  readonly weight: number;
  readonly labelSmoothing: number;
  readonly classWeights?: readonly number[];
  /** What is called its error: less is better, so that the best epoch is the one with the least. */
  readonly measure: MeasureName;
  /** What is worked out beside it; of some, more is better. */
  readonly metrics: readonly NamedMetric[];
}

export interface NamedMetric {
  /** As the settings or the model's file spell it. */
  readonly name: string;
  readonly metric: MetricName;
}

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
  checkMasks(model, names);
  const compiled = compiledOutputs(model, names);
  const outputs = names.map((name, i): OutputObjective => {
    const target = targetOf(names, i, dataset);
    const { kind } = target;
    const output = (model.outputs[i] as tf.SymbolicTensor).shape.slice(1) as (number | null)[];
    const units = output.at(-1) as number;
    const [end, file] = [heads.ends[i], compiled[i] as CompiledOutput];
    const { loss, lossFrom } = lossOf(name, kind, units, end, config.loss, file);
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
      ...{ name, target: target.name, units, loss, lossFrom },
      ...(end && { end }),
      ...withBefore(heads.before[i] ?? (end || typeof loss === 'function' ? undefined : logitsOf[loss])),
      ...(config.distillation && teacher && { teacher: teacher.name }),
      weight: (config.lossWeights ? config.lossWeights[name] : file.lossWeight) ?? 1,
      labelSmoothing: config.labelSmoothing,
      ...(classWeights && { classWeights }),
      measure: measureOf(kind, units, loss, end),
      metrics: metricsOf(name, kind, units, end, config.metrics, file),
    };
  });
  const notes = compiled.flatMap((output, i) => notesOf(output, outputs[i] as OutputObjective, config));
  return {
    outputs,
    ...(notes.length > 0 && { notes }),
    ...(config.distillation && { distillation: config.distillation }),
  };
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

/** What an output's loss is called. */
export const lossTitle = ({ loss }: OutputObjective): string =>
  typeof loss === 'function' ? 'a function' : loss;

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

function checkNames(names: readonly string[], { loss, lossWeights, metrics }: ObjectiveConfig): void {
  const given = {
    ...(typeof loss === 'object' && { loss }),
    ...(lossWeights && { lossWeights }),
    ...(metrics && !Array.isArray(metrics) && { metrics }),
  };
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
  file: CompiledOutput,
): Pick<OutputObjective, 'loss' | 'lossFrom'> {
  const wanted = typeof given === 'object' ? given[name] : given;
  if (typeof wanted === 'function') return { loss: wanted, lossFrom: 'settings' };
  if (wanted !== undefined) {
    const loss = lossNamed(wanted);
    if (loss) return { loss, lossFrom: 'settings' };
    throw new TrainError(
      `loss: there is none called '${wanted}'; expected one of ${Object.keys(losses).join(', ')}.`,
    );
  }
  if (file.loss) return { loss: file.loss, lossFrom: 'file' };
  const isYesOrNo = kind === 'labels' || units === 1 || end === 'sigmoid';
  const crossentropy = isYesOrNo ? 'binaryCrossentropy' : 'categoricalCrossentropy';
  return { loss: kind === 'values' ? 'meanSquaredError' : crossentropy, lossFrom: 'targets' };
}

function metricsOf(
  name: string,
  kind: Target['kind'],
  units: number,
  end: Said['before'],
  given: ObjectiveConfig['metrics'],
  file: CompiledOutput,
): NamedMetric[] {
  const wanted = given ? (Array.isArray(given) ? given : (given[name] ?? [])) : file.metrics;
  const isClasses = units > 1 && (kind === 'classes' || (kind === 'values' && end === 'softmax'));
  return [...new Set(wanted)].flatMap((each) => {
    const found = metricNamed(each);
    if (!found)
      throw new TrainError(
        `metrics: there is none called '${each}'; expected one of ${metricNames.join(', ')}.`,
      );
    if (found === 'accuracy' && kind === 'values' && !end) {
      if (!given) return [];
      throw new TrainError(
        `metrics: '${each}' is of classes or labels, and the output '${name}' says values; give metrics by output, or take meanAbsoluteError.`,
      );
    }
    const own = found === 'accuracy' ? (isClasses ? 'categoricalAccuracy' : 'binaryAccuracy') : found;
    const { least = 1 } = metric(own);
    if (units >= least) return [{ name: each, metric: own }];
    if (!given) return [];
    throw new TrainError(
      `metrics: '${each}' is of outputs of ${least} units or more, and the output '${name}' has ${units}; take binaryAccuracy, or give metrics by output.`,
    );
  });
}

/** What the file has that is not taken, unless the settings say something in its place. */
function notesOf(
  { notes }: CompiledOutput,
  { lossFrom, loss }: OutputObjective,
  config: ObjectiveConfig,
): string[] {
  return notes.flatMap((note) => {
    const isOfLoss = note.includes(' the loss ');
    if (isOfLoss ? lossFrom === 'settings' : config.metrics !== undefined) return [];
    return [
      isOfLoss ? `${note}: ${String(loss)} is taken, by what the targets are; loss says another` : note,
    ];
  });
}

function checkShape(
  name: string,
  output: readonly (number | null)[],
  { kind, shape, classes }: Target,
  set: string,
  loss: OutputObjective['loss'],
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

function measureOf(
  kind: Target['kind'],
  units: number,
  loss: OutputObjective['loss'],
  end: Said['before'],
): MeasureName {
  if (kind === 'values') return loss === 'meanAbsoluteError' ? 'meanAbsoluteError' : 'rootMeanSquaredError';
  if (kind === 'classes' && units > 1) return 'error';
  return end === 'sigmoid' ? 'binaryError' : 'binaryErrorOfLogits';
}
