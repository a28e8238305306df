import { existsSync } from 'node:fs';
import { loadModel, saveModel } from '@sbp/model';
import { type PruneReport, pruneModel } from '@sbp/prune';
import { errorOn, errorTitle } from '@sbp/train';
import { writeJson } from '../../run/run-folder.js';
import type { Job } from '../job.js';
import { targetWords } from '../target.js';
import { recalibrated } from './recalibrated.js';

/** What the cut came to. */
export interface Cut {
  report: PruneReport;
  /** Error of the smaller model before it is fine-tuned. */
  error: number;
  /** Seconds that it took. */
  took: number;
}

/** Cuts the groups with the least signal for their cost out of the trained model, until the target is met. */
export async function cutStep({ paths, settings, say, data, objective }: Job): Promise<void> {
  if (existsSync(paths.cutDone)) return;
  const began = performance.now();
  const noisy = await loadModel(paths.noise.model);
  const { model, report } = pruneModel(noisy, { target: settings.target });
  noisy.dispose();
  await recalibrated(model, data.train, settings.batchSize);
  await saveModel(model, paths.cut);
  const error = errorOn(model, data.test, objective);
  model.dispose();
  const { taken, reached } = report.target!;
  say(
    `Cut to ${targetWords(settings.target)}: ${(100 * reached).toFixed(1)} % are left; ${taken.below} groups had drowned, ${taken.above} more went; ${errorTitle(objective)} ${error.toPrecision(4)} before fine-tuning`,
  );
  writeJson(paths.cutDone, { report, error, took: (performance.now() - began) / 1000 } satisfies Cut);
}
