import { mkdirSync } from 'node:fs';
import { loadModel } from '@sbp/model';
import { PruneError } from '@sbp/prune';
import { errorTitle } from '@sbp/train';
import { readJson, writeJson } from '../../run/run-folder.js';
import { isStepDone, sealStep } from '../done.js';
import { choosers, choosersError, type Job } from '../job.js';
import type { CompressPaths } from '../paths.js';
import { FIRST_SHARE } from '../targets/error.js';
import { cutStep } from './cut.js';
import { tuneStep } from './tune.js';

/** A cut that was tried, and fine-tuned. */
export interface Trial {
  /** Of the multiply-accumulates, as a fraction of before. */
  share: number;
  /** By what choices are made by. */
  error: number;
}

/** Cuts that are tried at most, each with a fine-tuning of its own. */
const TRIALS = 4;
/** Shares whose ratio is closer to 1 are not worth another trial. */
const CLOSE = 1.2;
/** How much less is tried when a cut has kept the error. */
const LESS = 0.6;

/**
 * Searches the smallest network that keeps an error: cuts, fine-tunes and measures, each time from the same trained network, with less or more of it.
 *
 * @returns the paths of the trial that is taken: the smallest that keeps the error, or, where none does, that with the least
 */
export async function searchStep(job: Job, asked: number): Promise<CompressPaths> {
  const { paths, say, objective } = job;
  mkdirSync(paths.stages, { recursive: true });
  const trials = isStepDone(paths, [paths.trials], say) ? readJson<Trial[]>(paths.trials) : [];
  const jobOf = (share: number): Job => ({
    ...job,
    settings: { ...job.settings, target: { macs: share } },
    paths: { ...paths, ...paths.stage(share.toPrecision(4)) },
  });
  for (let share = nextShare(trials, asked); share !== undefined; share = nextShare(trials, asked)) {
    const trial = jobOf(share);
    try {
      await cutStep(trial);
    } catch (error) {
      if (!(error instanceof PruneError) || trials.length === 0) throw error;
      break; // so few can't be had
    }
    await tuneStep(trial);
    const model = await loadModel(trial.paths.tune.model);
    const error = choosersError(job, model);
    model.dispose();
    trials.push({ share, error });
    writeJson(paths.trials, trials);
    sealStep(paths, [paths.trials]);
    const verdict = error <= asked ? 'kept' : 'not kept';
    say(
      `At ${(100 * share).toFixed(1)} % of the MACs: ${errorTitle(objective)} ${error.toPrecision(4)} on ${choosers(job).words}, ${asked} is ${verdict}`,
    );
  }
  const best = taken(trials, asked);
  if (best.error > asked)
    say(`No network that was tried keeps ${errorTitle(objective)} ${asked}; this is the closest.`);
  return jobOf(best.share).paths;
}

/** What is tried next; undefined where it is known well enough. */
export function nextShare(trials: readonly Trial[], asked: number): number | undefined {
  if (trials.length === 0) return FIRST_SHARE;
  const kept = trials.filter(({ error }) => error <= asked).map(({ share }) => share);
  const lost = trials.filter(({ error }) => error > asked).map(({ share }) => share);
  const [least, most] = [Math.min(1, ...kept), Math.max(0, ...lost)];
  if (trials.length === TRIALS || least < CLOSE * most) return undefined;
  return most === 0 ? LESS * least : Math.sqrt(least * most);
}

function taken(trials: readonly Trial[], asked: number): Trial {
  const kept = trials.filter(({ error }) => error <= asked);
  if (kept.length > 0) return kept.reduce((best, each) => (each.share < best.share ? each : best));
  return trials.reduce((best, each) => (each.error < best.error ? each : best));
}
