import type { Command } from 'commander';
import type { RunConfig } from '../config/run-config.js';
import { print } from '../words/words.js';
import { budgetOption, engineOption, wholeNumber } from './arguments.js';

const help = `
Examples:
  $ sbp sweep-threshold runs/quickstart
  $ sbp sweep-threshold runs/quickstart/trained/model.json --train-examples 10000
  $ sbp sweep-threshold runs/sbp-0 runs/sbpa-0 --out results

Cuts a trained network at signal-to-noise ratios of 0, 0.1 … 2 and measures each on the training and the test set, and on what its run
held out (data.validation), which then chooses. With --out: sweep-<run>.md, .svg and .json in that folder; sbp table draws the curves
of those that lie among its results.`;

interface Options {
  out?: string;
  data?: string;
  trainExamples?: number;
  engine?: 'auto' | 'tensorflow' | 'wasm' | 'cpu';
  budget: RunConfig['budget'];
  json?: boolean;
}

/** `sbp sweep-threshold <run|model.json…>` */
export function addSweepThreshold(program: Command): void {
  program
    .command('sweep-threshold')
    .description('error, cost and groups kept at every threshold, from one trained network')
    .argument('<run...>', "a run's folder, or a model.json with noise layers")
    .option('--out <folder>', 'where to write table, plot and figures')
    .option(
      '--data <folder>',
      "where its data lies here: canonical files, or data of one's own (default: as the run has it)",
    )
    .option('--train-examples <n>', "only the first n training examples (default: the run's)", wholeNumber)
    .addOption(engineOption())
    .addOption(budgetOption('short, medium: of the runs of that name with -short or -medium behind it'))
    .option('--json', 'figures as JSON on standard output')
    .addHelpText('after', help)
    .action(sweep);
}

async function sweep(paths: string[], { budget, ...options }: Options): Promise<void> {
  const { budgetMark } = await import('../config/run-fields.js');
  const runs = paths.map((path) => `${path}${budgetMark(budget)}`);
  const results: unknown[] = [];
  for (const run of runs) results.push(await sweepOne(run, options));
  if (options.json) print(JSON.stringify(results.length === 1 ? results[0] : results, undefined, 2));
}

async function sweepOne(
  path: string,
  { out, data: folder, trainExamples, engine, json }: Omit<Options, 'budget'>,
): Promise<unknown> {
  const { mkdirSync } = await import('node:fs');
  const { basename, join } = await import('node:path');
  const { subset } = await import('@sbp/data');
  const { useEngine } = await import('@sbp/engine');
  const { sweepChart } = await import('@sbp/bench');
  const { writeAtomically } = await import('@sbp/train/checkpoint');
  const { writeJson } = await import('../run/run-folder.js');
  const { openTrained, sweepTable, sweepThresholds } = await import('../results/sweep.js');
  const say = (line: string) => process.stderr.write(`${line}\n`);
  // tensorflow takes seconds to start, and talks: not before it is known that there is work for it
  await useEngine('wasm');
  const { model, data: open, objective, ...about } = await openTrained(path);
  await useEngine(engine);
  const data = await open(folder, process.stderr);
  const train = trainExamples === undefined ? data.train : subset(data.train, trainExamples);
  const result = {
    sweep: path,
    ...about,
    ...(await sweepThresholds(model, { data: { ...data, train }, objective: objective(data.test) }, say)),
  };
  const text = sweepTable(result);
  const title = `${about.net}: ${about.title}, by threshold`;
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    const file = (extension: string) => join(out, `sweep-${basename(path, '.json')}.${extension}`);
    writeAtomically(file('md'), `### ${title}\n\n${text}\n`);
    const { chosen, measure } = result;
    writeAtomically(file('svg'), sweepChart(result.rows, result.macs, { title, chosen, measure }));
    writeJson(file('json'), result);
  }
  if (!json) print(text);
  return result;
}
