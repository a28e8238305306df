import type { Command } from 'commander';
import { print } from '../words.js';
import { engineOption, wholeNumber } from './arguments.js';

const help = `
Examples:
  $ sbp sweep-threshold runs/quickstart
  $ sbp sweep-threshold runs/quickstart/trained/model.json --train-examples 10000
  $ sbp sweep-threshold runs/quickstart --out results/sweep-quickstart

Cuts one trained network at signal-to-noise ratios of 0, 0.1 … 2 and measures each on the training and the test set, and on what its
run held out (data.validation), which then chooses. With --out: sweep.md, sweep.svg and sweep.json in that folder.`;

/** `sbp sweep-threshold <run|model.json>` */
export function addSweepThreshold(program: Command): void {
  program
    .command('sweep-threshold')
    .description('error, cost and groups kept at every threshold, from one trained network')
    .argument('<run>', "a run's folder, or a model.json with noise layers")
    .option('--out <folder>', 'where to write table, plot and figures')
    .option('--data <folder>', "canonical files of the data set (default: the run's)")
    .option('--train-examples <n>', "only the first n training images (default: the run's)", wholeNumber)
    .addOption(engineOption())
    .option('--json', 'figures as JSON on standard output')
    .addHelpText('after', help)
    .action(sweep);
}

async function sweep(
  path: string,
  options: {
    out?: string;
    data?: string;
    trainExamples?: number;
    engine?: 'auto' | 'tensorflow' | 'wasm' | 'cpu';
    json?: boolean;
  },
): Promise<void> {
  const { out, data: folder, trainExamples, json } = options;
  const { mkdirSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { subset } = await import('@sbp/data');
  const { useEngine } = await import('@sbp/engine');
  const { sweepChart } = await import('@sbp/bench');
  const { writeAtomically } = await import('@sbp/train/checkpoint');
  const { loadData } = await import('../run-data.js');
  const { openTrained, sweepTable, sweepThresholds } = await import('../sweep.js');
  const say = (line: string) => process.stderr.write(`${line}\n`);
  // tensorflow takes seconds to start, and talks: not before it is known that there is work for it
  await useEngine('wasm');
  const { model, config, ...about } = await openTrained(path);
  await useEngine(options.engine);
  const data = await loadData({ ...config, ...(folder !== undefined && { folder }) }, say);
  const train = trainExamples === undefined ? data.train : subset(data.train, trainExamples);
  const swept = await sweepThresholds(model, { ...data, train }, say);
  const result = { model: path, ...about, ...swept };
  const text = sweepTable(result);
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    const title = `${about.net}: ${about.title}, by threshold`;
    writeAtomically(join(out, 'sweep.md'), `${text}\n`);
    writeAtomically(join(out, 'sweep.json'), `${JSON.stringify(result, undefined, 2)}\n`);
    writeAtomically(
      join(out, 'sweep.svg'),
      sweepChart(result.rows, result.macs, { title, chosen: result.chosen }),
    );
  }
  print(json ? JSON.stringify(result, undefined, 2) : text);
}
