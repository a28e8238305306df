import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeAtomically } from '@sbp/train/checkpoint';
import { plural } from '../words/words.js';
import type { SweepRun } from './plan/kind.js';
import type { SweepFile } from './plan/read-sweep.js';

/** A page of more runs than these takes minutes to make, and nobody scrolls it. */
const PAGE = 100;

/**
 * Shows the table of all runs that are done, and leaves it with its pictures and the report in the sweep's folder: of every network, data and budget one of its own.
 */
export async function leaveResults(
  { folder, runs: place }: SweepFile,
  runs: readonly SweepRun[],
  say: (line: string) => void,
): Promise<void> {
  const done = runs.filter((run) => run.isDone());
  if (done.length === 0) return;
  const { readResults } = await import('../results/results.js');
  const { comparable, memorizedChart, resultsChart, resultsTable } = await import(
    '../results/results-table.js'
  );
  const all = readResults(done.map((run) => run.folder));
  const kinds = new Map<string, typeof all.results>();
  for (const result of all.results) {
    const kind = comparable(result.config);
    kinds.set(kind, [...(kinds.get(kind) ?? []), result]);
  }
  mkdirSync(folder, { recursive: true });
  const tables = [...kinds.values()].map((results) => resultsTable(results));
  writeAtomically(join(folder, 'table.md'), `${tables.join('\n\n')}\n`);
  for (const [i, results] of [...kinds.values()].entries()) {
    const mark = kinds.size > 1 ? `-${i + 1}` : '';
    const random = results[0]!.config.data.labels === 'random';
    writeAtomically(
      join(folder, random ? `memorized${mark}.svg` : `error-against-macs${mark}.svg`),
      random ? memorizedChart(results) : resultsChart(results),
    );
  }
  const isPage = all.results.length <= PAGE;
  if (isPage) {
    const { reportPage } = await import('../results/report.js');
    writeAtomically(join(folder, 'report.html'), await reportPage(all));
  }
  say(`\n${tables.join('\n\n')}\n`);
  say(
    `${plural(done.length, 'run')} in ${relative('.', place) || '.'}; table.md, error-against-macs.svg${isPage ? ' and report.html' : ''} in ${relative('.', folder) || '.'}`,
  );
}

/** The sweep for programs. */
export function outcomeJson(
  { name, runs, folder }: SweepFile,
  outcomes: ReadonlyMap<SweepRun, { state: string; seconds?: number; why?: string }>,
): object {
  return {
    sweep: name,
    folder,
    runsIn: runs,
    runs: [...outcomes].map(([run, { state, seconds, why }]) => ({
      name: run.name,
      stage: run.stage,
      state: state === 'was done' ? 'done' : state,
      ...(seconds !== undefined && { seconds }),
      ...(why !== undefined && { why }),
      values: Object.fromEntries([...run.assignment].map(([path, { value }]) => [path, value])),
      ...(run.from && { from: run.from.name }),
      folder: run.folder,
      log: run.log,
    })),
  };
}
