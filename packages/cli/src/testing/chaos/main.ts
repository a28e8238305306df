import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, table } from '@sbp/bench';
import { philox } from '@sbp/math';
import { Command } from 'commander';
import pLimit from 'p-limit';
import { version } from '../../version.js';
import { clock } from './clock.js';
import { ofDone, ofUnfinished } from './damage.js';
import { canMount, disk } from './disk.js';
import { moments } from './moments.js';
import { owners } from './owners.js';
import { makeSubjects } from './subject.js';
import { type Harm, randomOf, type Trial } from './trial.js';

/** The kinds of harm, and how many trials of those that have no number of their own. */
const COUNTS = { moments: 240, owners: 20, disk: 20 };

interface Options {
  seed: number;
  share: number;
  jobs: number;
  out?: string;
}

await new Command('chaos')
  .description(
    'Harms runs of sbp train and sbp compress: stops them at random moments, runs two in one folder, damages each of their files, fills their disk and sets their clock; and sees whether the same command comes to the same network all the same.',
  )
  .option('--seed <n>', 'other moments and places', Number, 1)
  .option('--share <part>', 'of the trials, such as 0.1', Number, 1)
  .option('--jobs <n>', 'trials at once', Number, availableParallelism())
  .option('--out <file>', 'writes the result as Markdown, too')
  .action(campaign)
  .parseAsync();

async function campaign({ seed, share, jobs, out }: Options): Promise<void> {
  const began = performance.now();
  const home = mkdtempSync(join(tmpdir(), 'sbp-chaos-'));
  const subjects = await makeSubjects(join(home, 'subjects'));
  const random = randomOf(philox(seed, 0));
  const harm = (count: number): Harm => ({ subjects, random, count: Math.ceil(share * count) });
  const all: Trial[] = [
    ...moments(harm(COUNTS.moments)),
    ...owners(harm(COUNTS.owners)),
    ...some(ofDone(harm(0)), share),
    ...some(await ofUnfinished(harm(0), home), share),
    ...some(clock(harm(0), home), share),
    ...(canMount() ? disk(harm(COUNTS.disk)) : []),
  ];
  const failures: { trial: Trial; why: string }[] = [];
  const limit = pLimit(jobs);
  let done = 0;
  mkdirSync(join(home, 'trials'));
  await Promise.all(
    all.map((trial, i) =>
      limit(async () => {
        const folder = join(home, 'trials', String(i));
        const why = await trial
          .run(folder)
          .catch((error: Error) => `the trial itself failed: ${error.stack}`);
        if (why === undefined) rmSync(folder, { recursive: true, force: true });
        else {
          failures.push({ trial, why });
          process.stderr.write(`FAILED ${trial.kind}: ${trial.name}: ${why} (${folder})\n`);
        }
        done++;
        if (done % 10 === 0) process.stderr.write(`${done}/${all.length} tried, ${failures.length} failed\n`);
      }),
    ),
  );
  const text = report(all, failures, { seed, share, seconds: (performance.now() - began) / 1000 });
  process.stdout.write(text);
  if (out) writeFileSync(out, text);
  if (failures.length === 0) rmSync(home, { recursive: true });
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** Every so manieth. */
function some(trials: Trial[], share: number): Trial[] {
  return trials.filter((_, i) => Math.floor(share * (i + 1)) > Math.floor(share * i));
}

function report(
  all: readonly Trial[],
  failures: readonly { trial: Trial; why: string }[],
  { seed, share, seconds }: { seed: number; share: number; seconds: number },
): string {
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => ({
    kind,
    tried: all.filter((trial) => trial.kind === kind).length,
    failed: failures.filter(({ trial }) => trial.kind === kind).length,
  }));
  const { cpu, cores, node, platform } = environment();
  return [
    '# Harm done to runs',
    table(rows),
    `${all.length} tried, ${failures.length} failed. Each is followed by the same command, which has to come to the same weights, to the bit, or to name in one line what it can't do without.${canMount() ? '' : ' No disk could be filled: this user may not mount one.'}`,
    ...failures.map(({ trial, why }) => `- ${trial.kind}: ${trial.name}: ${why}`),
    `\`npm run chaos -- --seed ${seed}${share === 1 ? '' : ` --share ${share}`}\` took ${Math.round(seconds)} s; sbp ${version}, Node ${node}, ${cpu}, ${cores} cores, ${platform}.`,
    '',
  ].join('\n\n');
}
