import * as tf from '@tensorflow/tfjs';
import { foldMultipliers } from './fold.js';
import { gather } from './gather.js';
import { spreadOf } from './groupings.js';
import { keptBy, type Plan } from './plan.js';
import type { Step } from './steps.js';

/** What was done to one set, in the words of its plan. */
export interface Cut {
  readonly plan: Plan;
  /** Number of indices that each step of the set has in the new model, by step. */
  readonly present: ReadonlyMap<number, number>;
  /** Removed units that the reader still reads, with rows of zeros. */
  readonly zeroRows: number;
  /** Noise steps that became a layer of their own. */
  readonly standIns: readonly string[];
}

/** The new model and what was done. The steps' weights are used up. */
export function cutModel(
  model: tf.LayersModel,
  steps: readonly Step[],
  plans: readonly Plan[],
  useGather: boolean,
): { model: tf.LayersModel; cuts: Cut[] } {
  // Constants go first, while the readers' rows are those that the constants were worked out for.
  for (const { set, removed, constants } of plans) {
    if (set.reader === undefined) continue;
    const indices = removed.flatMap((isRemoved, unit) => (isRemoved ? [unit] : []));
    steps[set.reader]!.linear?.foldConstants(indices, constants.values);
  }
  const gathers = new Map<number, number[]>();
  const cuts = plans.map((plan): Cut => {
    const noises = plan.set.path.filter((i) => steps[i]!.noise);
    const standIns = noises.flatMap((i) => foldMultipliers(steps, plan, i) ?? []);
    return { plan, standIns, ...slice(steps, plan, useGather, gathers) };
  });
  return { model: assemble(model, steps, gathers), cuts };
}

/** Takes the removed units out of every step of a set, as far as its layers allow. */
function slice(steps: readonly Step[], plan: Plan, useGather: boolean, gathers: Map<number, number[]>) {
  const { set, removed } = plan;
  const maker = steps[set.maker]!;
  const kept = removed.filter((isRemoved) => !isRemoved).length;
  const all = Array.from({ length: maker.outShape.at(-1)! }, (_, i) => i);
  const makes = keptBy(plan, set.maker);
  let present = maker.linear ? all.filter((i) => makes.has(i)) : all;
  maker.keepOut?.(present);

  // The last place where a group turns into units is the first where single units can be picked.
  const pickAt = spreadOf(steps, set) ?? set.maker;
  const pick = () => {
    const wanted = keptBy(plan, pickAt);
    const positions = present.flatMap((index, position) => (wanted.has(index) ? [position] : []));
    if (!useGather || positions.length === present.length || steps[pickAt]!.outShape.length !== 1) return;
    gathers.set(pickAt, positions);
    present = positions.map((position) => present[position]!);
  };

  const sizes = new Map([[set.maker, present.length]]);
  if (pickAt === set.maker) pick();
  for (const i of set.path) {
    const { source, outShape, keepIn, keepOut } = steps[i]!;
    keepIn?.(present);
    const inputs = new Set(present);
    present = Array.from({ length: outShape.at(-1)! }, (_, o) => o).filter((o) => inputs.has(source!(o)));
    keepOut?.(present);
    if (i === pickAt) pick();
    sizes.set(i, present.length);
  }
  if (set.reader !== undefined) steps[set.reader]!.keepIn?.(present);
  return { present: sizes, zeroRows: present.length - kept };
}

/** Builds the layers that are left, in tfjs's own classes, each with the name of the layer that it comes from. */
export function assemble(
  model: tf.LayersModel,
  steps: readonly Step[],
  gathers: ReadonlyMap<number, number[]> = new Map(),
): tf.LayersModel {
  const { shape, dtype } = model.inputs[0]!;
  const input = tf.input({ batchShape: shape, dtype, name: model.inputNames[0]! });
  let x = input;
  for (const [i, step] of steps.entries()) {
    if (step.build) x = step.build(x);
    const entries = gathers.get(i);
    if (entries) x = gather(x, entries, `${step.name}_kept`);
  }
  return tf.model({ inputs: input, outputs: x, name: model.name });
}
