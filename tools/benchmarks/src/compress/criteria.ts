// LeNet-5 on Fashion-MNIST cut by every criterion, each with as many epochs. `npm run bench:criteria -- --help`
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, errorMacsChart, table } from '@sbp/bench';
import { openData, shuffledIndices } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { leNet5 } from '@sbp/layers';
import { loadModel, saveModel } from '@sbp/model';
import {
  countFlops,
  type PruneOptions,
  pruneInSteps,
  pruneModel,
  random,
  taylor,
  weighKl,
  withNoise,
} from '@sbp/prune';
import { errorOn, lossOn, objectiveOf, type TrainConfig, train } from '@sbp/train';
import { writeAtomically } from '@sbp/train/checkpoint';
import type * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { written } from '../written.js';

/** What is tried, stated beforehand: KL scales of the trainings with noise, SNR thresholds that each is cut at, and shares of the multiply-accumulates for what goes by a target. */
const KL_SCALES = [1, 4, 16];
const THRESHOLDS = [0.25, 0.5, 1, 1.5, 2, 3];
const SHARES = [0.5, 0.25, 0.12, 0.06];
/** Cuts that Taylor comes to its target in, with gradients anew. */
const TAYLOR_STEPS = 7;

const fashion = fileURLToPath(new URL('../../../../experiments/fashion-folders/data', import.meta.url));

interface Point {
  seed: number;
  criterion: string;
  /** What it was cut at: a KL scale, or a share. */
  at: string;
  macs: number;
  /** On the test images, in %: as cut, and fine-tuned. */
  cut: number;
  error: number;
}

interface Options {
  epochs: number;
  seeds: number[];
  engine: Parameters<typeof useEngine>[0];
  folder: string;
  out?: string;
}

await new Command('bench:criteria')
  .description(
    'Trains LeNet-5 on folders of Fashion-MNIST images (npm run data in experiments/fashion-folders), then cuts it by each criterion: those by noise after as many epochs with noise as of fine-tuning, all others with twice as many of fine-tuning.',
  )
  .option('--epochs <n>', 'with noise, and of fine-tuning', Number, 15)
  .option('--seeds <seeds>', 'of noise and order', (text) => text.split(',').map(Number), [0, 1, 2])
  .option('--engine <name>', 'what computes', 'auto')
  .option(
    '--folder <folder>',
    'where networks and points are kept; what is there is not done again',
    'runs/criteria',
  )
  .option('--out <stem>', 'also writes <stem>.md, <stem>.json and <stem>.svg')
  .action(measure)
  .parseAsync();

async function measure({ epochs, seeds, engine, folder, out }: Options): Promise<void> {
  await useEngine(engine);
  if (!existsSync(fashion)) throw new Error(`${fashion} is not there; run npm run data in its folder`);
  mkdirSync(folder, { recursive: true });
  const data = await openData(fashion, { inputs: { image: [28, 28, 1] }, outputs: 10, normalize: '0..1' });
  const points = pointsIn(join(folder, 'points.json'));
  const whole = await once(join(folder, 'whole'), async () => {
    const model = leNet5({ noise: false });
    await train(model, data, { ...recipe(2 * epochs, 0), schedule: 'cosine' }, { onEpoch: said('whole') });
    return model;
  });
  for (const seed of seeds) {
    for (const klScale of KL_SCALES) {
      const noisy = await once(join(folder, `noise-${klScale}-${seed}`), async () => {
        const model = withNoise(whole, { klScale, logSigmaInit: -3, trainExamples: data.train.size, seed });
        weighKl(model, { macs: 0.5 });
        await train(
          model,
          data,
          { ...recipe(epochs, seed), noiseRate: 10 },
          { onEpoch: said(`noise × ${klScale}`) },
        );
        return model;
      });
      const cuts: [string, PruneOptions][] = [
        ...THRESHOLDS.map((threshold): [string, PruneOptions] => [`SNR > ${threshold}`, { threshold }]),
        ['BMRS_N', { criterion: 'bmrs-n' }],
        ['BMRS_U', { criterion: 'bmrs-u' }],
      ];
      for (const [criterion, options] of cuts) {
        const at = `KL × ${klScale}`;
        await points.once({ seed, criterion, at }, () =>
          tuned(pruneModel(noisy, options).model, epochs, seed, data),
        );
      }
      noisy.dispose();
    }
    for (const share of SHARES)
      for (const criterion of ['L2', 'Taylor', 'random']) {
        const at = `MACs × ${share}`;
        await points.once({ seed, criterion, at }, async () =>
          tuned(await cutWithoutNoise(whole, criterion, share, seed, data), 2 * epochs, seed, data),
        );
      }
  }
  const error = errorOn(whole, data.test);
  report(points.all, { epochs, seeds, error, out });
}

function recipe(epochs: number, seed: number): TrainConfig {
  return { epochs, seed, batchSize: 64, learningRate: 1e-3, beta1: 0.9, replicas: 1 };
}

function said(what: string) {
  return ({ epoch, error, loss }: { epoch: number; error: number; loss: number }): void => {
    process.stderr.write(`${what}  epoch ${epoch}  error ${error.toFixed(2)} %  loss ${loss.toFixed(4)}\n`);
  };
}

/** A network from its folder, or made and left there. */
async function once(folder: string, make: () => Promise<tf.LayersModel>): Promise<tf.LayersModel> {
  if (!existsSync(folder)) await saveModel(await make(), folder);
  return loadModel(folder);
}

type TrainData = Parameters<typeof train>[1];
type Key = Pick<Point, 'seed' | 'criterion' | 'at'>;

function pointsIn(file: string) {
  const all: Point[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  return {
    all,
    async once(key: Key, make: () => Promise<Omit<Point, keyof Key>>): Promise<void> {
      const { seed, criterion, at } = key;
      if (all.some((each) => each.seed === seed && each.criterion === criterion && each.at === at)) return;
      const point = { ...key, ...(await make()) };
      all.push(point);
      writeAtomically(file, JSON.stringify(all, undefined, 2));
      process.stderr.write(`${JSON.stringify(point)}\n`);
    },
  };
}

async function cutWithoutNoise(
  whole: tf.LayersModel,
  criterion: string,
  share: number,
  seed: number,
  data: TrainData,
): Promise<tf.LayersModel> {
  if (criterion === 'L2') return pruneModel(whole, { target: { macs: share }, criterion: 'l2' }).model;
  if (criterion === 'random')
    return pruneModel(whole, { target: { macs: share }, criterion: random(seed) }).model;
  const loss = lossOn(data.train, objectiveOf(whole, data.train, { labelSmoothing: 0 }));
  const some = shuffledIndices(data.train.size, 0, seed).subarray(0, 2000);
  const batches = Array.from({ length: Math.ceil(some.length / 32) }, (_, i) =>
    some.subarray(32 * i, 32 * i + 32),
  );
  const target = { macs: share ** (1 / TAYLOR_STEPS) };
  const { model } = await pruneInSteps(whole, TAYLOR_STEPS, async (from) =>
    pruneModel(from, { target, criterion: await taylor(from, batches, loss) }),
  );
  return model;
}

/** Fine-tunes a network that was cut, and disposes of it. */
async function tuned(
  model: tf.LayersModel,
  epochs: number,
  seed: number,
  data: TrainData,
): Promise<Omit<Point, keyof Key>> {
  const { macs } = countFlops(model);
  const cut = errorOn(model, data.test);
  const history = await train(model, data, { ...recipe(epochs, seed), schedule: 'cosine', warmup: 0.05 });
  model.dispose();
  return { macs, cut, error: history.at(-1)!.error };
}

function report(
  points: readonly Point[],
  { epochs, seeds, error, out }: { epochs: number; seeds: readonly number[]; error: number; out?: string },
): void {
  const keys = [...new Set(points.map(({ criterion, at }) => JSON.stringify([criterion, at])))];
  const rows = keys.map((key) => {
    const [criterion, at] = JSON.parse(key) as [string, string];
    const own = points.filter((each) => each.criterion === criterion && each.at === at);
    const mean = (of: (point: Point) => number) => own.reduce((sum, each) => sum + of(each), 0) / own.length;
    const errors = own.map((each) => each.error);
    return {
      ...{ criterion, at, macs: mean(({ macs }) => macs), cut: mean(({ cut }) => cut) },
      ...{ mean: mean((each) => each.error), least: Math.min(...errors), most: Math.max(...errors) },
    };
  });
  const { cpu, cores, tfjs } = environment();
  const text = [
    table<Record<string, unknown>>(rows, [
      { key: 'criterion' },
      { key: 'at', title: 'at' },
      { key: 'macs', title: 'MACs, mean', digits: 0 },
      { key: 'cut', title: 'error % as cut', digits: 2 },
      { key: 'mean', title: 'fine-tuned, mean', digits: 2 },
      { key: 'least', title: 'least', digits: 2 },
      { key: 'most', title: 'most', digits: 2 },
    ]),
    `LeNet-5 of ${error.toFixed(2)} % error on 3,000 Fashion-MNIST images in folders, 12,000 to train on; ${epochs} epochs with noise and ${epochs} of fine-tuning, or ${2 * epochs} of fine-tuning where there is no noise; seeds ${seeds.join(', ')}. ${cpu}, ${cores} cores, tfjs ${tfjs}.`,
  ].join('\n\n');
  const shown =
    out === undefined ? text : `${text}\n\n![Error against multiply-accumulates](${basename(out)}.svg)`;
  written(
    shown,
    { epochs, seeds, error, points },
    { stem: out, title: 'Criteria', command: 'bench:criteria' },
  );
  if (out === undefined) return;
  const names = [...new Set(rows.map(({ criterion }) => criterion))];
  writeFileSync(
    `${out}.svg`,
    errorMacsChart(
      names.map((name) => ({
        name,
        kind: 'curve' as const,
        points: rows
          .filter(({ criterion }) => criterion === name)
          .map(({ macs, mean }) => ({ macs, error: mean }))
          .sort((a, b) => a.macs - b.macs),
      })),
      { lines: `means of ${seeds.length} seeds, fine-tuned` },
    ),
  );
}
