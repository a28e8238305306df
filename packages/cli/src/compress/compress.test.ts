import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openData } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { philox } from '@sbp/math';
import { loadModel, saveModel } from '@sbp/model';
import { countFlops } from '@sbp/prune';
import { train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder, start } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';
import type { CurvePoint } from './curve.js';
import { compressPaths } from './paths.js';
import type { CompressResult } from './report/result.js';

const SIDE = 12;
const classes = ['flat', 'tall', 'wide'];
let folder: string;

/** Bars, lying and standing, and nothing but noise: PNGs in a folder a class. */
function photos(at: string, each: number, seed: number): void {
  classes.forEach((name, label) => {
    const own = join(at, name);
    mkdirSync(own, { recursive: true });
    for (let i = 0; i < each; i++) {
      const u = philox(seed, label).uniforms(i, new Float32Array(SIDE * SIDE + 1));
      const place = Math.floor((u.at(-1) as number) * SIDE);
      const data = Uint8Array.from({ length: SIDE * SIDE }, (_, p) => {
        const lit = label === 1 ? p % SIDE === place : label === 2 && Math.floor(p / SIDE) === place;
        return 100 * (u[p] as number) + (lit ? 120 : 0);
      });
      writeFileSync(
        join(own, `${String(i).padStart(3, '0')}.png`),
        encode({ width: SIDE, height: SIDE, channels: 1, data }),
      );
    }
  });
}

beforeAll(async () => {
  folder = emptyFolder();
  photos(join(folder, 'photos', 'train'), 60, 1);
  photos(join(folder, 'photos', 'test'), 30, 2);
  photos(join(folder, 'loose', 'deep'), 1, 3);
  await useEngine('wasm');
  const initial = (seed: number) => tf.initializers.glorotUniform({ seed });
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        filters: 8,
        kernelSize: 3,
        activation: 'relu',
        inputShape: [SIDE, SIDE, 1],
        kernelInitializer: initial(1),
      }),
      tf.layers.conv2d({ filters: 16, kernelSize: 3, useBias: false, kernelInitializer: initial(2) }),
      tf.layers.batchNormalization(),
      tf.layers.reLU(),
      tf.layers.maxPooling2d({ poolSize: 4 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: initial(3) }),
    ],
  });
  const data = await openData(join(folder, 'photos'), {
    inputs: { x: [SIDE, SIDE, 1] },
    outputs: 3,
    normalize: '0..1',
  });
  await train(model, data, { epochs: 12, batchSize: 20, learningRate: 0.01, replicas: 1, seed: 1 });
  await saveModel(model, join(folder, 'model'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const args = (out: string, target = 'macs=0.5', ...more: string[]) => [
  ...['compress', 'model', '--data', 'photos', '--target', target, '--out', out, '--normalize', '0..1'],
  ...[
    '--epochs',
    '12',
    '--fine-tune',
    '10',
    '--batch-size',
    '20',
    '--learning-rate',
    '0.005',
    '--replicas',
    '1',
    '--engine',
    'wasm',
  ],
  ...more,
];

describe('sbp compress', () => {
  it('makes a smaller model that is as good, with its ONNX file, a report and all figures; and says so when it is asked again', async () => {
    const { code, stdout, stderr } = await sbp(folder, ...args('small'));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/Data: photos, 1\d\d to train on, .* to test on; 3 classes: flat, tall, wide/);
    expect(stdout).toContain('Loss: categoricalCrossentropy (by what the data holds)\n');
    expect(stdout).toMatch(/As it is: error % [\d.]+, [\d,]+ MACs, [\d,]+ parameters; \d+ groups/);
    expect(stdout).toMatch(
      /To do: train with noise \(12 epochs\), cut, fine-tune \(10 epochs\), check and time: about .* s at/,
    );
    const paths = compressPaths(join(folder, 'small'));
    const result = JSON.parse(readFileSync(paths.result, 'utf8')) as CompressResult;
    expect(result.after.macs).toBeLessThanOrEqual(0.5 * result.before.macs);
    expect(result.after.error).toBeLessThanOrEqual(result.before.error + 3);
    expect(countFlops(await loadModel(paths.model)).macs).toBe(result.after.macs);
    expect(result.report.target).toMatchObject({ measure: 'macs', asked: 0.5 });
    expect(result.history.noise).toHaveLength(12);
    expect(statSync(paths.onnx).size).toBeGreaterThan(500);
    const page = readFileSync(paths.report, 'utf8');
    for (const title of [
      'Before and after',
      'Layer by layer',
      'Error against cost',
      'Where they disagree',
      'Training',
    ])
      expect(page).toContain(`<h2>${title}</h2>`);
    const again = await sbp(folder, ...args('small'));
    expect(again.stdout).toMatch(/^small is done; this is what it came to/);
    const { stdout: json } = await sbp(folder, ...args('small', 'macs=0.5', '--json'));
    expect((JSON.parse(json) as CompressResult).after).toEqual(result.after);
  }, 120_000);

  it('goes on from the trained noise for another target', async () => {
    const paths = compressPaths(join(folder, 'small'));
    const before = statSync(paths.noise.done).mtimeMs;
    const { code, stdout } = await sbp(folder, ...args('small', 'params=0.4'));
    expect(code).toBe(0);
    expect(stdout).not.toContain('Training with noise');
    expect(statSync(paths.noise.done).mtimeMs).toBe(before);
    const { after, before: was } = JSON.parse(readFileSync(paths.result, 'utf8')) as CompressResult;
    expect(after.params).toBeLessThanOrEqual(0.4 * was.params);
    const other = await sbp(folder, ...args('small', 'params=0.4', '--seed', '2'));
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/another seed \(0 there, 2 now\)/),
    });
  }, 120_000);

  it('refuses times that say nothing or can’t be reached, and draws the curve of all targets', async () => {
    const { code, stdout, stderr } = await sbp(folder, ...args('small', 'latency=60s@onnxruntime:1'));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/latency=5ms@onnxruntime:1/) });
    expect(stdout).toBe('');
    // what a time in between comes to depends on the machine
    for (const [time, message] of [
      ['60000ms', /takes [\d.]+ ms as it is, no more than 60000; nothing has to be cut/],
      ['0.000001ms', /0.000001 ms can't be reached: of [\d.]+ ms, [\d.]+ are in what no cut takes away/],
    ] as const) {
      const refused = await sbp(folder, ...args('small', `latency=${time}@onnxruntime:1`));
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
      // what there was stays until there is something to take its place
      expect(refused.stdout).toMatch(/takes the place of what --target params=0.4 came to/);
      expect(existsSync(join(folder, 'small', 'result.json'))).toBe(true);
    }
    const swept = await sbp(folder, 'sweep-target', 'small');
    expect(swept.code).toBe(0);
    expect(swept.stdout).toMatch(/MACs .* of before .* ms, onnxruntime, batch 1 .* error %/);
    const { points } = JSON.parse(readFileSync(join(folder, 'small', 'curve.json'), 'utf8')) as {
      points: CurvePoint[];
    };
    expect(points.length).toBeGreaterThan(4);
    for (const [i, { macs, share }] of points.entries()) {
      expect(macs).toBeLessThanOrEqual(share * points[0]!.macs);
      if (i > 0) expect(macs).toBeLessThan(points[i - 1]!.macs);
    }
    expect(readFileSync(join(folder, 'small', 'curve.svg'), 'utf8')).toContain('<svg');
    const nothing = await sbp(folder, 'sweep-target', 'photos');
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringMatching(/no folder of sbp compress/) });
  }, 120_000);

  it('cuts the model as it is by another criterion than the noise’s', async () => {
    const { code, stdout, stderr } = await sbp(
      folder,
      ...args('by-taylor', 'macs=0.5', '--criterion', 'taylor', '--rounds', '2'),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/To do: cut by taylor, fine-tune/);
    expect(stdout).not.toContain('Training with noise');
    const { after, before, report, curve } = JSON.parse(
      readFileSync(join(folder, 'by-taylor', 'result.json'), 'utf8'),
    ) as CompressResult;
    expect(report.target!.criterion).toBe('taylor');
    expect(stdout).toMatch(/Round 2 of 2/);
    expect(report.target!.asked).toBeCloseTo(0.5, 1);
    expect(report.before.macs).toBe(before.macs);
    // of the model as it is, not of what the first round left
    expect(curve[0]!.macs).toBe(before.macs);
    expect(report.layers.map(({ groups }) => groups)).toEqual([8, 16]);
    expect(after.macs).toBeLessThanOrEqual(0.5 * before.macs);
    expect(after.error).toBeLessThanOrEqual(before.error + 3);
  }, 120_000);

  it('searches the smallest network that keeps an error, and says by what', async () => {
    const { code, stdout } = await sbp(folder, ...args('small', 'error=12', '--fine-tune', '4'));
    expect(code).toBe(0);
    expect(stdout).not.toContain('Training with noise');
    const tried = [
      ...stdout.matchAll(/At ([\d.]+) % of the MACs: error % ([\d.]+) on .*, 12 is (not )?kept/g),
    ];
    expect(tried.length).toBeGreaterThan(1);
    const { after, before } = JSON.parse(
      readFileSync(join(folder, 'small', 'result.json'), 'utf8'),
    ) as CompressResult;
    const kept = tried.filter(([, , , not]) => !not).map(([, share]) => Number(share) / 100);
    expect(kept.length).toBeGreaterThan(0);
    expect(after.macs / before.macs).toBeLessThanOrEqual(Math.min(...kept) + 1e-3);
  }, 120_000);

  it('goes on where it was stopped', async () => {
    // so long that the signal comes in time, however busy the machine is
    const long = args('stopped', 'macs=0.5', '--epochs', '30', '--fine-tune', '1');
    const { child, ended } = start(folder, long);
    const paths = compressPaths(join(folder, 'stopped'));
    while (
      !existsSync(paths.noise.metrics) ||
      readFileSync(paths.noise.metrics, 'utf8').split('\n').length < 3
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: expect.stringMatching(/Stopped; kept in stopped up to .* of 30/),
    });
    const { code: second, stdout } = await sbp(folder, ...long);
    expect(second).toBe(0);
    expect(stdout).toMatch(/Going on from .* of 30, kept in stopped/);
    const { history } = JSON.parse(readFileSync(paths.result, 'utf8')) as CompressResult;
    expect(history.noise.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  }, 120_000);

  it('takes the order of the classes from a labels.txt beside the model, and the loss from its file', async () => {
    const copy = join(folder, 'labelled');
    cpSync(join(folder, 'model'), copy, { recursive: true });
    writeFileSync(join(copy, 'labels.txt'), 'wide\nflat\n\ntall\n');
    const file = join(copy, 'model.json');
    const trainingConfig = {
      loss: 'mean_squared_error',
      metrics: ['accuracy', 'own_score'],
      optimizer_config: {},
    };
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), trainingConfig }));
    const wrong = await sbp(folder, ...args('by-file').map((each) => (each === 'model' ? 'labelled' : each)));
    expect(wrong.code).toBe(2);
    expect(wrong.stdout).toContain('3 classes: wide, flat, tall');
    expect(wrong.stdout).toContain("Loss: meanSquaredError (as the model's file was compiled)\n");
    expect(wrong.stdout).toMatch(
      / {2}the model's file has the metric own_score for '.*', which is left out\n/,
    );
  }, 60_000);

  it('takes single pixels out with --gather', async () => {
    const dense = (units: number, seed: number, activation: 'relu' | 'softmax') =>
      tf.layers.dense({
        ...{ units, activation, name: `dense${seed}` },
        kernelInitializer: tf.initializers.glorotUniform({ seed }),
      });
    const flat = tf.layers.flatten({ inputShape: [SIDE, SIDE, 1], name: 'flat' });
    const model = tf.sequential({ layers: [flat, dense(24, 1, 'relu'), dense(3, 2, 'softmax')] });
    const inputs = { x: [SIDE, SIDE, 1] };
    const data = await openData(join(folder, 'photos'), { inputs, outputs: 3, normalize: '0..1' });
    await train(model, data, { epochs: 20, batchSize: 20, learningRate: 0.005, replicas: 1, seed: 1 });
    await saveModel(model, join(folder, 'dense'));
    const own = args('picked', 'macs=0.3', '--gather');
    const { code, stdout } = await sbp(folder, ...own.map((each) => (each === 'model' ? 'dense' : each)));
    expect(code).toBe(0);
    expect(stdout).toMatch(/; 168 groups of channels and units can go/);
    const paths = compressPaths(join(folder, 'picked'));
    const { report, after, onnx } = JSON.parse(readFileSync(paths.result, 'utf8')) as CompressResult;
    const [pixels, units] = report.layers.map(({ present }) => present) as [number, number];
    expect(report.layers.map(({ name }) => name)).toEqual(['flat_noise', 'dense1_noise']);
    expect(pixels).toBeLessThan(144);
    expect(after.macs).toBe(pixels * units + 3 * units);
    expect(after.macs).toBeLessThanOrEqual(0.3 * 24 * 147);
    expect(onnx!.largest).toBeLessThan(1e-5);
  }, 120_000);

  it('needs no labels', async () => {
    mkdirSync(join(folder, 'bare'), { recursive: true });
    for (let i = 0; i < 40; i++)
      for (const name of classes)
        writeFileSync(
          join(folder, 'bare', `${name}-${i}.png`),
          readFileSync(join(folder, 'photos', 'train', name, `${String(i).padStart(3, '0')}.png`)),
        );
    const { code, stdout } = await sbp(
      folder,
      ...args('taught').map((each) => (each === 'photos' ? 'bare' : each)),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('no labels: the model as it is says what is right');
    const { before, after } = JSON.parse(
      readFileSync(join(folder, 'taught', 'result.json'), 'utf8'),
    ) as CompressResult;
    expect(before.error).toBe(0);
    expect(after.error).toBeLessThan(20);
  }, 120_000);

  it('cuts by magnitude without any data, and says what that is worth', async () => {
    const { code, stdout } = await sbp(folder, 'compress', 'model', '--target', 'macs=0.5', '--out', 'blind');
    expect(code).toBe(0);
    expect(stdout).toMatch(/without any data: what the model says is another thing now/);
    expect(existsSync(join(folder, 'blind', 'model', 'model.json'))).toBe(true);
  });

  it.each([
    [
      'a wrong order of classes',
      ['--classes', 'wide,flat,tall'],
      /no better than chance on this data before anything is done.*--classes says another/,
    ],
    ['images of no known scale', ['--normalize', 'none', '--data', 'nowhere'], /nowhere/],
    [
      'another target',
      ['--target', 'size=3'],
      /--target size=3: expected macs=0.4 .*latency=5ms@onnxruntime:1/,
    ],
    ['a target out of reach', ['--target', 'macs=0.0001'], /macs can't be cut to/],
    ['an unknown criterion', ['--criterion', 'size'], /--criterion size: expected snr, bmrs-n/],
    [
      'single units without noise',
      ['--criterion', 'l2', '--gather'],
      /--gather goes with --data and a --criterion by noise/,
    ],
    ['an unknown loss', ['--loss', 'entropy'], /none called 'entropy'/],
  ])(
    'refuses %s in one line',
    async (name, more, message) => {
      const { code, stderr, stdout } = await sbp(
        folder,
        ...args(`refused-${name.replaceAll(' ', '-')}`),
        ...more,
      );
      expect(stdout).not.toContain('Training');
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(code).toBe(2);
    },
    60_000,
  );
});
