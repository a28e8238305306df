import { countFlops } from '@sbp/prune';
import { readJson } from '../../run/run-folder.js';
import type { Job } from '../job.js';
import type { CompressPaths } from '../paths.js';
import { partly } from '../targets/targets.js';
import { type Cut, cutStep } from './cut.js';
import { tuneStep } from './tune.js';

/**
 * Comes to the target in several rounds: cuts a part, fine-tunes, looks at the groups that are left anew, and cuts on.
 *
 * @returns the paths of the last round
 */
export async function roundsStep(job: Job): Promise<CompressPaths> {
  const { settings, paths, say } = job;
  const { rounds, target } = settings;
  const [fineTune, whole] = [Math.ceil(job.fineTune / rounds), countFlops(job.original)];
  let last = paths;
  for (let round = 1; round <= rounds; round++) {
    const now: Job = {
      ...job,
      ...{ fineTune, settings: { ...settings, target: partly(target, round / rounds, whole) } },
      ...(round > 1 && {
        from: { model: last.tune.model, report: readJson<Cut>(last.cutDone).report },
      }),
      paths: { ...paths, ...paths.stage(`round-${round}`) },
    };
    say(`Round ${round} of ${rounds}`);
    await cutStep(now);
    await tuneStep(now);
    last = now.paths;
  }
  return last;
}
