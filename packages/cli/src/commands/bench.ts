import { resolve } from 'node:path';
import type { EngineName } from '@sbp/engine';
import { type Command, InvalidArgumentError } from 'commander';
import { UsageError } from '../words/failure.js';
import { shortNames } from '../words/short-names.js';
import { print } from '../words/words.js';
import { type InputShapes, inputShapeOption, wholeNumber, wholeNumbers } from './arguments.js';

const help = `
Examples:
  $ sbp bench runs/quickstart/noisy runs/quickstart/pruned
  $ sbp bench before/model.json after/model.json --engines wasm --batch 1,32
  $ sbp bench before after --json
  $ sbp bench before after --input-shape 224,224,3

Models take turns, so that whatever slows the machine slows all of them: speed-ups are ratios to the first model in the same
round. Each call gets one batch and lasts until its result has been read.`;

/** `sbp bench <model.json…>` */
export function addBench(program: Command): void {
  program
    .command('bench')
    .description('time models side by side')
    .argument(
      '<model.json...>',
      'layers models, or their folders; the first is what the others are compared with',
    )
    .option(
      '--engines <names>',
      'engines to time on, with commas (default: tensorflow,wasm where they start)',
      engines,
    )
    .option('--batch <sizes>', 'examples in a call, with commas', wholeNumbers, [1, 100])
    .option('--repeats <n>', 'measured rounds', wholeNumber, 12)
    .addOption(inputShapeOption())
    .option('--json', 'timings as JSON')
    .addHelpText('after', help)
    .action(bench);
}

const inNode: readonly EngineName[] = ['tensorflow', 'wasm', 'cpu'];

function engines(text: string): EngineName[] {
  const names = text.split(',') as EngineName[];
  const stray = names.find((name) => !inNode.includes(name));
  if (stray === undefined) return names;
  throw new InvalidArgumentError(`Expected ${inNode.join(', ')} with commas between them.`);
}

async function bench(
  paths: string[],
  options: {
    engines?: EngineName[];
    batch: number[];
    repeats: number;
    inputShape?: InputShapes;
    json?: boolean;
  },
): Promise<void> {
  await import('@sbp/layers');
  const { openModel } = await import('../run/open-model.js');
  const { modelPlace, readGraph } = await import('@sbp/model');
  const { useEngine } = await import('@sbp/engine');
  const { environment, modelTimingColumns, table, timeOnEngines } = await import('@sbp/bench');
  await useEngine('wasm');
  const models = await Promise.all(paths.map((path) => openModel(path)));
  const shapes = models.map((model) => readGraph(model, { inputShapes: options.inputShape }).inputs);
  const [first, ...others] = shapes.map((inputs) =>
    inputs.map(({ shape }) => shapeText(shape)).join(' and '),
  );
  const odd = others.findIndex((shape) => shape !== first);
  if (odd >= 0)
    throw new UsageError(
      `${paths[odd + 1]} takes ${others[odd]} and ${paths[0]} ${first}; give models with the same input.`,
    );
  if (shapes[0]!.some(({ shape }) => shape.includes(null)))
    throw new UsageError(`${paths[0]} takes ${first}; give its size, such as --input-shape 224,224,3.`);
  const places = await Promise.all(paths.map((path) => modelPlace(path)));
  const names = shortNames(places.map((place) => resolve(place)));
  const { rows, absent } = await timeOnEngines(
    models.map((model, i) => ({ name: names[i]!, model })),
    {
      batchSizes: options.batch,
      repeats: options.repeats,
      inputShape: options.inputShape,
      ...(options.engines && { engines: options.engines }),
    },
  );
  if (options.json) {
    print(JSON.stringify({ rows, absent, environment: environment() }, undefined, 2));
    return;
  }
  print(table(rows, modelTimingColumns));
  // An engine that was asked for is worth a word; one that is merely not installed is not.
  for (const { engine, reason } of absent) if (options.engines?.includes(engine)) print(`\n${reason}`);
}

const shapeText = (shape: readonly (number | null)[]) =>
  `[${shape.map((size) => size ?? 'open').join(', ')}]`;
