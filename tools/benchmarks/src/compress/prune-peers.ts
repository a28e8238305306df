// ResNet-20 on CIFAR-10, cut by sbp compress and by Torch-Pruning from the same weights. `npm run peers:prune -- --help`
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { environment, table } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { Command } from 'commander';
import { installPeer, torchPruning } from '../peers/install.js';
import { written } from '../written.js';
import { compressed } from './compressed.js';

interface Row {
  /** Of the multiply-accumulates, as a fraction of before. */
  share: number;
  how: string;
  macs: number;
  parameters: number;
  /** Test errors in %: before, cut and not fine-tuned, fine-tuned. */
  before: number;
  cut: number;
  after: number;
}

interface Options {
  shares: number[];
  epochs: number;
  seed: number;
  engine: string;
  folder: string;
  out?: string;
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const ours = join(root, 'experiments/cifar10-resnet20');
const say = (line: string) => process.stderr.write(`${line}\n`);

await new Command('peers:prune')
  .description(
    'Cuts one trained ResNet-20 to shares of its multiply-accumulates by sbp compress and by the pruners of Torch-Pruning, fine-tunes each for as many epochs, and prints the errors.',
  )
  .option('--shares <shares>', 'what is left', (text) => text.split(',').map(Number), [0.5, 0.25])
  .option('--epochs <n>', 'epochs in all; of ours three tenths are with noise', Number, 10)
  .option('--seed <n>', 'of order, augmentation and noise', Number, 0)
  .option('--engine <name>', 'of ours', 'auto')
  .option(
    '--folder <folder>',
    'where runs are kept; what is done there is not done again',
    'runs/peers-prune',
  )
  .option('--out <stem>', 'also writes <stem>.md and <stem>.json')
  .action(compare)
  .parseAsync();

async function compare({ shares, epochs, seed, engine, folder, out }: Options): Promise<void> {
  const [model, data] = [join(ours, 'pretrained'), join(ours, 'data/cifar-10-batches-bin')];
  for (const path of [model, data])
    if (!existsSync(path))
      throw new Error(`${path} is not there; see experiments/cifar10-resnet20/README.md`);
  const peer = await installPeer(torchPruning(), say);
  mkdirSync(folder, { recursive: true });
  const rows: Row[] = [];
  for (const share of shares) {
    rows.push(oursAt(share, { model, data, epochs, seed, engine, folder }));
    for (const importance of ['group-norm', 'taylor'])
      for (const scope of ['global', 'layer'])
        rows.push(await theirsAt(share, [importance, scope], { peer, model, data, epochs, seed, folder }));
  }
  await useEngine('wasm');
  const { cpu, cores } = environment();
  const text = [
    table<Row>(rows, [
      { key: 'how', title: 'cut by' },
      { key: 'share', title: 'target', digits: 2 },
      { key: 'macs', title: 'MACs', digits: 0 },
      { key: 'parameters', digits: 0 },
      { key: 'before', title: 'error % before', digits: 2 },
      { key: 'cut', title: 'cut', digits: 2 },
      { key: 'after', title: 'fine-tuned', digits: 2 },
    ]),
    `One pretrained ResNet-20, CIFAR-10, ${epochs} epochs in all (of ours three tenths with noise), Adam, half of the loss against the network as it was, seed ${seed}; last epochs. ${cpu}, ${cores} cores.`,
  ].join('\n\n');
  written(
    text,
    { epochs, seed, rows },
    { stem: out, title: 'ResNet-20 beside Torch-Pruning', command: 'peers:prune' },
  );
}

interface Run {
  model: string;
  data: string;
  epochs: number;
  seed: number;
  folder: string;
}

function oursAt(share: number, { model, data, epochs, seed, engine, folder }: Run & { engine: string }): Row {
  const to = join(folder, `ours-${share}-${epochs}-${seed}`);
  const noisy = Math.round(0.3 * epochs);
  const args = [
    ...[model, '--data', data, '--normalize', 'imagenet', '--augment', 'flip,crop'],
    ...['--target', `macs=${share}`, '--epochs', String(noisy), '--fine-tune', String(epochs - noisy)],
    ...['--batch-size', '128'],
    ...['--seed', String(seed), '--engine', engine],
  ];
  const { before, cut, after } = compressed(args, to);
  return {
    ...{ share, how: 'sbp compress', macs: after.macs, parameters: after.params },
    ...{ before: before.error, cut: cut.error, after: after.error },
  };
}

async function theirsAt(
  share: number,
  [importance, scope]: [importance: string, scope: string],
  { peer, model, data, epochs, seed, folder }: Run & { peer: string[] },
): Promise<Row> {
  const how = `Torch-Pruning, ${importance}, ${scope === 'global' ? 'ranked over all layers' : 'as much of each layer'}`;
  const file = join(folder, `${importance}-${scope}-${share}-${epochs}-${seed}.json`);
  if (!existsSync(file)) {
    const [python, ...script] = peer as [string, ...string[]];
    const args = [
      ...['--importance', importance, '--scope', scope, '--share', share],
      ...['--epochs', epochs, '--seed', seed],
    ];
    const child = spawn(python, [...script, model, data, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = '';
    for await (const line of createInterface({ input: child.stdout })) {
      say(`${how}: ${line}`);
      last = line;
    }
    if (!last.includes('"done"')) throw new Error(`${how} ended before it was done`);
    writeFileSync(file, `${last}\n`);
  }
  const { before, cut, after, macs, parameters } = JSON.parse(readFileSync(file, 'utf8')) as Row;
  return { share, how, macs, parameters, before, cut, after };
}
