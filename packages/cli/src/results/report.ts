import { type Block, page, type Section } from '@sbp/bench';
import { UsageError } from '../words/failure.js';
import { reportRun } from './report-run.js';
import type { Result, SweepResult } from './results.js';
import {
  comparable,
  labelOf,
  memorizedChart,
  networkTitle,
  resultsChart,
  resultsRows,
} from './results-table.js';
import { netTitle } from '../config/titles.js';
import { plural } from '../words/words.js';

/**
 * What runs came to, as one HTML page: of one run its figures, pictures and settings; of several first what compares them, network by network, and then
 * those of each.
 *
 * @throws UsageError if there are no results
 */
export async function reportPage({
  results,
  sweeps,
}: {
  results: readonly Result[];
  sweeps: readonly SweepResult[];
}): Promise<string> {
  const [first, ...others] = results;
  if (!first)
    throw new UsageError('there is no result of a run, only of sweeps; give result.json files of runs.');
  if (others.length === 0) {
    const lead = `Run ${first.config.name}: ${plural(first.config.train.epochs, 'epoch')}, seed ${first.config.train.seed}`;
    return page(`${networkTitle(first.config)}: ${labelOf(first.config)}`, lead, await reportRun(first));
  }
  const kinds = [...new Set(results.map(({ config }) => comparable(config)))];
  const networks = kinds.map((kind) => results.filter(({ config }) => comparable(config) === kind));
  const comparisons = networks.map((runs) => comparison(runs, sweeps));
  const runs: Section[] = [];
  for (const result of results) {
    const parts = await reportRun(result);
    runs.push({
      title: runTitle(result, networks.length > 1),
      blocks: parts.flatMap(({ blocks }) => blocks),
    });
  }
  const titles = [...new Set(results.map(({ config }) => networkTitle(config)))];
  return page(titles.join(', '), `${plural(results.length, 'run')} side by side, and one by one`, [
    ...comparisons,
    ...runs,
  ]);
}

function runTitle({ config }: Result, ofSeveral: boolean): string {
  const network = ofSeveral ? `, ${networkTitle(config)}` : '';
  return `${labelOf(config)}${network}, seed ${config.train.seed} (${config.name})`;
}

/** Runs of one network. */
function comparison(results: readonly Result[], sweeps: readonly SweepResult[]): Section {
  const { config } = results[0]!;
  const { title, rows, columns, warning, notes } = resultsRows(results);
  const own = sweeps.filter(({ net, budget }) => net === netTitle(config) && budget === config.budget);
  const random = config.data.labels === 'random';
  const chart: Block = {
    kind: 'chart',
    title: random ? 'Accuracy and groups kept by epoch' : 'Error against multiply-accumulates',
    draw: (width) =>
      random ? memorizedChart(results, { width }) : resultsChart(results, own, undefined, { width }),
  };
  return {
    title: config.budget === 'full' ? title : `${title} (${config.budget})`,
    blocks: [
      ...(warning === undefined ? [] : [{ kind: 'text', text: warning, strong: true } as const]),
      { kind: 'table', rows, columns },
      { kind: 'text', text: notes.join(' ') },
      chart,
    ],
  };
}
