import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromBinary } from '@bufbuild/protobuf';
import { noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EpochMetrics } from '../run/state.js';
import { halves, smallNet } from '../testing.js';
import { train } from '../train.js';
import { type Event, EventSchema } from './compat/proto/event_pb.js';
import { tfRecord } from './tfrecord.js';
import { tensorboardWriter, writeEpoch } from './writer.js';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sbp-tensorboard-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const files = () => readdirSync(folder).sort();

/** The events of a file, without a look at the checksums. */
function events(name: string): Event[] {
  const bytes = readFileSync(join(folder, name));
  const found: Event[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    found.push(fromBinary(EventSchema, bytes.subarray(at + 12, at + 12 + length)));
    at += 16 + length;
  }
  return found;
}

describe('tfRecord', () => {
  it('is what TensorBoard writes', () => {
    // RecordWriter of tensorboard 2.21, given b'sbp'
    expect(tfRecord(Buffer.from('sbp')).toString('hex')).toBe('0300000000000000b099490e736270e8ffd8eb');
  });
});

describe('tensorboardWriter', () => {
  it('begins with the version, then from where it goes on; each call is in the file when it returns', () => {
    const writer = tensorboardWriter(folder, { from: 3 });
    writer.scalars(3, { loss: 0.5, gone: Number.NaN });
    const [version, start, scalars, ...others] = events(files()[0]!);
    expect(version?.what).toEqual({ case: 'fileVersion', value: 'brain.Event:2' });
    expect(start).toMatchObject({ step: 3n, what: { case: 'sessionLog', value: { status: 1 } } });
    expect(scalars).toMatchObject({ step: 3n, what: { value: { value: [{ tag: 'loss' }] } } });
    expect(others).toEqual([]);
    writer.close();
  });

  it('puts later starts later in the order of names, within a second as well', () => {
    const names = Array.from({ length: 4 }, () => {
      tensorboardWriter(folder).close();
      return files();
    });
    names.slice(1).forEach((after, i) => {
      expect(after.slice(0, -1)).toEqual(names[i]);
    });
  });

  it('counts every finite value once, the largest in the last bucket', () => {
    const writer = tensorboardWriter(folder);
    writer.histogram(1, 'h', [0, 1, 2, 3, 3, Number.POSITIVE_INFINITY, Number.NaN]);
    writer.histogram(2, 'h', [7, 7]);
    writer.histogram(3, 'h', [Number.NaN]);
    writer.close();
    const histograms = events(files()[0]!).flatMap(({ what }) =>
      what.case === 'summary' ? what.value.value.map(({ value }) => value.value) : [],
    );
    expect(histograms).toHaveLength(2);
    expect(histograms[0]).toMatchObject({ min: 0, max: 3, num: 5, sum: 9, sumSquares: 23 });
    const { bucket, bucketLimit } = histograms[0] as { bucket: number[]; bucketLimit: number[] };
    expect(bucket.filter(Boolean)).toEqual([1, 1, 1, 2]);
    expect([bucket[0], bucket[10], bucket[20], bucket[29]]).toEqual([1, 1, 1, 2]);
    expect([bucketLimit[9], bucketLimit[29]]).toEqual([1, 3]);
    expect(histograms[1]).toMatchObject({ min: 7, max: 7, bucket: [2], bucketLimit: [7] });
  });
});

const run = promisify(execFile);
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const environment = join(cache, 'sbp/tensorboard');
const python = join(environment, 'bin/python');

/** What the real TensorBoard reads: scripts' reader, and the one behind its web pages. */
const reader = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.util import tensor_util
folder = sys.argv[1]
events = EventAccumulator(folder, size_guidance={'scalars': 0, 'histograms': 0})
events.Reload()
tags = events.Tags()
pages = plugin_event_multiplexer.EventMultiplexer()
pages.AddRun(folder, 'run')
pages.Reload()
shown = {name: list(pages.PluginRunToTagToContent(name).get('run', {})) for name in ['scalars', 'histograms']}
print(json.dumps({
    'scalars': {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags['scalars']},
    'histograms': {
        tag: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max, e.histogram_value.sum,
               sum(e.histogram_value.bucket)] for e in events.Histograms(tag)]
        for tag in tags['histograms']
    },
    'shown': shown,
    'buckets': {tag: [tensor_util.make_ndarray(e.tensor_proto).tolist() for e in pages.Tensors('run', tag)]
                for tag in shown['histograms']},
}))
`;

/** Puts it there once, through the user's pip. @returns why it is not there */
async function install(): Promise<string | undefined> {
  const there = () =>
    run(python, ['-c', 'import tensorboard'])
      .then(() => true)
      .catch(() => false);
  if (existsSync(python) && (await there())) return undefined;
  try {
    await run('python3', ['-m', 'venv', environment], { timeout: 60_000 });
    await run(python, ['-m', 'pip', 'install', '--quiet', 'tensorboard==2.21.0'], { timeout: 180_000 });
  } catch (error) {
    return `no tensorboard from pip: ${(error as Error).message.split('\n')[0]}`;
  }
  return (await there()) ? undefined : 'tensorboard from pip cannot be imported';
}

describe('the real tensorboard', () => {
  let absent: string | undefined;
  beforeAll(async () => {
    absent = await install();
  }, 300_000);

  async function read() {
    const { stdout } = await run(python, ['-c', reader, folder], { maxBuffer: 1e8 });
    return JSON.parse(stdout) as {
      scalars: Record<string, [step: number, value: number][]>;
      histograms: Record<
        string,
        [step: number, num: number, min: number, max: number, sum: number, counted: number][]
      >;
      shown: Record<'scalars' | 'histograms', string[]>;
      buckets: Record<string, [left: number, right: number, count: number][][]>;
    };
  }

  it('reads a training: every figure of every epoch, and the SNR of every layer', async ({ skip }) => {
    if (absent) skip(absent);
    const model = smallNet();
    const writer = tensorboardWriter(folder, { from: 1 });
    const history: EpochMetrics[] = [];
    const snr: Float64Array[] = [];
    const validation = halves(50);
    await train(
      model,
      { train: halves(300), test: halves(100), validation },
      { epochs: 3, batchSize: 50, learningRate: 0.01, metrics: ['accuracy'] },
      {
        onEpoch(metrics) {
          history.push(metrics);
          snr.push(noisesOf(model)[1]!.values().snr.slice());
          writeEpoch(writer, metrics, model);
        },
      },
    );
    writer.close();
    const { scalars, histograms, shown, buckets } = await read();
    const column = (figure: (metrics: EpochMetrics) => number) =>
      history.map((metrics) => [metrics.epoch, Math.fround(figure(metrics))]);
    expect(scalars).toEqual({
      'loss/train': column(({ loss }) => loss),
      'loss/kl': column(({ kl }) => kl),
      'loss/objective': column(({ loss, kl }) => loss + kl),
      'error/train': column(({ trainError }) => trainError),
      'error/test': column(({ error }) => error),
      'error/validation': column(({ validationError }) => validationError!),
      'metrics/test/accuracy': column(({ metrics }) => metrics!.accuracy!),
      'metrics/validation/accuracy': column(({ validationMetrics }) => validationMetrics!.accuracy!),
      learning_rate: column(({ learningRate }) => learningRate),
      images_per_second: column(({ imagesPerSecond }) => imagesPerSecond),
      ...Object.fromEntries(
        ['c', 'f', 'd'].map((name) => [`groups_kept/${name}`, column(({ kept }) => kept[name]!)]),
      ),
    });
    const layers = ['c', 'f', 'd'].flatMap((name) => [`snr/${name}`, `snr_log10/${name}`]);
    expect(Object.keys(histograms).sort()).toEqual(layers.sort());
    expect(histograms['snr/f']).toEqual(
      snr.map((values, i) => [
        i + 1,
        values.length,
        Math.min(...values),
        Math.max(...values),
        expect.closeTo(
          values.reduce((a, b) => a + b),
          6,
        ),
        values.length,
      ]),
    );
    // what its pages show: the same tags, and buckets that end at the largest value and hold all groups
    expect(shown.scalars.sort()).toEqual(Object.keys(scalars).sort());
    expect(shown.histograms.sort()).toEqual(layers);
    const last = buckets['snr/f']!.at(-1)!;
    expect(last[0]![0]).toBe(Math.fround(Math.min(...snr.at(-1)!)));
    expect(last.at(-1)![1]).toBe(Math.fround(Math.max(...snr.at(-1)!)));
    expect(last.reduce((sum, [, , count]) => sum + count, 0)).toBe(36);
  });

  it('forgets what a killed run wrote after the state that it goes on from, half a record included', async ({
    skip,
  }) => {
    if (absent) skip(absent);
    const first = tensorboardWriter(folder, { from: 1 });
    for (const step of [1, 2, 3, 4]) first.scalars(step, { loss: step });
    const [name] = files();
    truncateSync(join(folder, name!), readFileSync(join(folder, name!)).length - 5);
    const second = tensorboardWriter(folder, { from: 3 });
    for (const step of [3, 4, 5]) second.scalars(step, { loss: 10 * step });
    second.close();
    const { scalars } = await read();
    expect(scalars.loss).toEqual([
      [1, 1],
      [2, 2],
      [3, 30],
      [4, 40],
      [5, 50],
    ]);
  });
});
