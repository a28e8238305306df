import { countFlops } from '@sbp/prune';
import { readJson } from '../../run/run-folder.js';
import { UsageError } from '../../words/failure.js';
import type { Job } from '../job.js';
import { type CompressTarget, partly } from '../targets/targets.js';
import { type Cut, cutStep } from './cut.js';
import { tuneStep } from './tune.js';

/**
 * Comes to the target in several rounds: cuts a part, fine-tunes, looks at the groups that are left anew, and cuts on.
 *
 * @returns the job of the last round
 */
export async function roundsStep(job: Job): Promise<Job> {
  const { settings, paths, say } = job;
  const { rounds, target } = settings;
  const [fineTune, whole] = [Math.ceil(job.fineTune / rounds), countFlops(job.original)];
  const part = (target: CompressTarget, way: number) => {
    const found = partly(target, way, whole);
    if (found) return found;
    throw new UsageError('--rounds goes with a --target of macs, params or bytes.');
  };
  let last = job;
  for (let round = 1; round <= rounds; round++) {
    const now: Job = {
      ...job,
      ...{ fineTune, settings: { ...settings, target: part(target, round / rounds) } },
      ...(round > 1 && {
        from: { model: last.paths.tune.model, report: readJson<Cut>(last.paths.cutDone).report },
      }),
      paths: { ...paths, ...paths.stage(`round-${round}`) },
    };
    say(`Round ${round} of ${rounds}`);
    await cutStep(now);
    await tuneStep(now);
    last = now;
  }
  return last;
}
