import { loadModel, saveModel } from '@sbp/model';
import { joinReports, type PruneReport, type TargetReport } from '@sbp/prune';
import { errorOn, errorTitle } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { writeJson } from '../../run/run-folder.js';
import { isByNoise } from '../criterion.js';
import { cutOf, isStepDone, sealStep } from '../done.js';
import { choosersError, type Job, STEPS, stepsOf } from '../job.js';
import { targetWords } from '../targets/targets.js';
import { cutInSteps } from './cut-in-steps.js';
import { FEW, recalibrated } from './recalibrated.js';

/** What the cut came to. */
export interface Cut {
  report: PruneReport;
  /** Error of the smaller model before it is fine-tuned. */
  error: number;
  /** Seconds that it took. */
  took: number;
}

/** Cuts the groups with the least signal for their cost out of the trained model, until the target is met. */
export async function cutStep(job: Job): Promise<void> {
  const { paths, settings, say, data, objective } = job;
  if (isStepDone(paths, cutOf(paths), say)) return;
  const began = performance.now();
  const trained = await toCut(job);
  const errorOf = async (cut: tf.LayersModel) => {
    await recalibrated(job, cut, FEW);
    return choosersError(job, cut);
  };
  const { model, report: own, reached } = await cutInSteps(job, trained, errorOf);
  trained.dispose();
  const report = job.from ? joinReports(job.from.report, own) : own;
  await recalibrated(job, model);
  await saveModel(model, paths.cut);
  const error = errorOn(model, data.test, objective);
  model.dispose();
  const { taken } = report.target!;
  say(
    `Cut to ${targetWords(settings.target)}: ${reached ?? leftWords(report.target!)}; ${goneWords(taken)}; ${errorTitle(objective)} ${error.toPrecision(4)} before fine-tuning`,
  );
  const steps = stepsOf(job);
  if (isByNoise(settings.criterion) && !job.from && taken.below === 0 && taken.above > 0)
    say(
      `  Nothing had drowned in ${steps} steps with noise: what went still carried signal. ${steps < STEPS ? `Give it more --epochs, ${STEPS} steps at least.` : 'The model has few groups to spare for this target; fine-tune it the longer.'}`,
    );
  writeJson(paths.cutDone, { report, error, took: (performance.now() - began) / 1000 } satisfies Cut);
  sealStep(paths, cutOf(paths));
}

/** What is cut: the model that was trained with noise, or, by a criterion that needs none, the model as it is. */
export const toCut = ({ paths, settings, from }: Job): Promise<tf.LayersModel> =>
  loadModel(from?.model ?? (isByNoise(settings.criterion) ? paths.noise.model : settings.model));

const leftWords = ({ measure, reached }: TargetReport) =>
  `${(100 * reached).toFixed(1)} % of ${measure} are left`;

const goneWords = ({ above, below }: TargetReport['taken']) =>
  below > 0 ? `${below} groups had drowned, ${above} more went` : `${above} groups went`;
