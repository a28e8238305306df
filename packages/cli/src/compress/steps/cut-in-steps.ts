import { countFlops, pruneInSteps } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import { criterionFor } from '../criterion.js';
import type { Job } from '../job.js';
import type { CutModel } from '../targets/kind.js';
import { cutTo, hasParts, partly } from '../targets/targets.js';
import { FEW, recalibrated } from './recalibrated.js';

/** Steps of a cut by gradients: those of what is left say more than those of the whole. */
const STEPS = 7;

/** Cuts a model to the job's target: at once, or by gradients that are taken anew of what is left. */
export async function cutInSteps(
  job: Job,
  trained: tf.LayersModel,
  errorOf: (cut: tf.LayersModel) => Promise<number>,
): Promise<CutModel> {
  const { target, roundTo, gather, criterion: name } = job.settings;
  const whole = countFlops(trained);
  const steps = name === 'taylor' && hasParts(target) ? STEPS : 1;
  return pruneInSteps<CutModel>(trained, steps, async (from, step) => {
    const criterion = await criterionFor(job, from);
    const now = steps > 1 ? partly(target, step / steps, whole) : target;
    const cut = await cutTo(now, from, { criterion, roundTo, gather, errorOf });
    if (step < steps) await recalibrated(job, cut.model, FEW);
    return cut;
  });
}
