import type { Command } from 'commander';
import type { RunConfig } from '../config/run-config.js';
import { print } from '../words/words.js';
import { budgetOption } from './arguments.js';

const help = `
Examples:
  $ sbp table runs/original runs/sbp-0 runs/sbp-1
  $ sbp table results --published published.json --out results

A row is a method's runs: of several seeds, mean and spread. With --out the table is written to table.md there, and a plot of error
against multiply-accumulates to error-against-macs.svg; those of short and medium runs to table-short.md and so on. Of runs on random labels the plot shows accuracy and groups kept
by epoch, in memorized.svg.`;

/** `sbp table <results…>` */
export function addTable(program: Command): void {
  program
    .command('table')
    .description('make one table and plot of the results of several runs')
    .argument('<results...>', "runs' folders, their result.json, or folders of such files")
    .option('--published <file>', 'published figures to stand beside them')
    .addOption(budgetOption('of which budget the runs are'))
    .option('--out <folder>', 'also write table.md and error-against-macs.svg there')
    .addHelpText('after', help)
    .action(table);
}

async function table(
  paths: string[],
  { published: file, budget, out }: { published?: string; budget: RunConfig['budget']; out?: string },
): Promise<void> {
  const { mkdirSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { readPublished, readResults } = await import('../results/results.js');
  const { budgetMark } = await import('../config/run-fields.js');
  const { memorizedChart, resultsChart, resultsTable } = await import('../results/results-table.js');
  const { writeAtomically } = await import('@sbp/train/checkpoint');
  const all = readResults(paths);
  const results = all.results.filter(({ config }) => config.budget === budget);
  const sweeps = all.sweeps.filter((sweep) => sweep.budget === budget);
  const published = file === undefined ? undefined : readPublished(file);
  const text = resultsTable(results, published);
  print(text);
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  const mark = budgetMark(budget);
  writeAtomically(join(out, `table${mark}.md`), `${text}\n`);
  const random = results[0]?.config.data.labels === 'random';
  writeAtomically(
    join(out, random ? `memorized${mark}.svg` : `error-against-macs${mark}.svg`),
    random ? memorizedChart(results) : resultsChart(results, sweeps, published),
  );
}
