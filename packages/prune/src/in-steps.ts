import type * as tf from '@tensorflow/tfjs';
import type { PruneReport } from './cut/report.js';
import type { TargetReport } from './target/report.js';

/** A model that was cut, and what was done to it. */
export interface Cut {
  readonly model: tf.LayersModel;
  readonly report: PruneReport;
}

/**
 * Cuts a model in several steps, each of what the last has left: by a criterion that looks at the model, such as gradients, what is left says more than the whole. Models in between are disposed of; the given one stays the caller's.
 *
 * @param cut one step, 1 to `steps`, of the model that is given
 * @returns what the last gave, with an account of all steps as of one
 */
export async function pruneInSteps<C extends Cut>(
  model: tf.LayersModel,
  steps: number,
  cut: (model: tf.LayersModel, step: number) => Promise<C>,
): Promise<C> {
  let last = await cut(model, 1);
  for (let step = 2; step <= steps; step++) {
    const next = await cut(last.model, step);
    last.model.dispose();
    last = { ...next, report: joinReports(last.report, next.report) };
  }
  return last;
}

/** The account of two cuts, one after the other, as of one. */
export function joinReports(first: PruneReport, { target, layers, ...last }: PruneReport): PruneReport {
  const groups = new Map(first.layers.map(({ name, groups }) => [name, groups]));
  const { before } = first;
  return {
    ...last,
    ...{ before, reduction: before.macs / last.after.macs },
    layers: layers.map((layer) => ({ ...layer, groups: groups.get(layer.name) ?? layer.groups })),
    ...(target && first.target && { target: joinTargets(first.target, target) }),
  };
}

function joinTargets(first: TargetReport, last: TargetReport): TargetReport {
  const sum = (key: 'above' | 'below') => first.taken[key] + last.taken[key];
  return {
    ...last,
    ...{ asked: first.reached * last.asked, reached: first.reached * last.reached },
    taken: { above: sum('above'), below: sum('below') },
  };
}
