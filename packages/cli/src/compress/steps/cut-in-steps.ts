import { countFlops, type PruneReport, type TargetReport } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import { criterionFor } from '../criterion.js';
import type { Job } from '../job.js';
import type { CutModel } from '../targets/kind.js';
import { cutTo, hasParts, partly } from '../targets/targets.js';
import { FEW, recalibrated } from './recalibrated.js';

/** Steps of a cut by gradients: those of what is left say more than those of the whole. */
const STEPS = 7;

/** Cuts a model, which is disposed of, to the job's target: at once, or by gradients that are taken anew of what is left. */
export async function cutInSteps(
  job: Job,
  trained: tf.LayersModel,
  errorOf: (cut: tf.LayersModel) => Promise<number>,
): Promise<CutModel> {
  const { target, roundTo, gather, criterion: name } = job.settings;
  const whole = countFlops(trained);
  const steps = name === 'taylor' && hasParts(target) ? STEPS : 1;
  let last: CutModel | undefined;
  for (let step = 1; step <= steps; step++) {
    const from = last?.model ?? trained;
    const criterion = await criterionFor(job, from);
    const now = steps > 1 ? partly(target, step / steps, whole) : target;
    const cut = await cutTo(now, from, { criterion, roundTo, gather, errorOf });
    from.dispose();
    if (step < steps) await recalibrated(job, cut.model, FEW);
    last = last ? { ...cut, report: joined(last.report, cut.report) } : cut;
  }
  return last!;
}

/** The account of two cuts, one after the other, as of one. */
export function joined(first: PruneReport, { target, layers, ...last }: PruneReport): PruneReport {
  const groups = new Map(first.layers.map(({ name, groups }) => [name, groups]));
  const { before } = first;
  return {
    ...last,
    ...{ before, reduction: before.macs / last.after.macs },
    layers: layers.map((layer) => ({ ...layer, groups: groups.get(layer.name) ?? layer.groups })),
    ...(target && first.target && { target: joinedTargets(first.target, target) }),
  };
}

function joinedTargets(first: TargetReport, last: TargetReport): TargetReport {
  const sum = (key: 'above' | 'below') => first.taken[key] + last.taken[key];
  return {
    ...last,
    ...{ asked: first.reached * last.asked, reached: first.reached * last.reached },
    taken: { above: sum('above'), below: sum('below') },
  };
}
