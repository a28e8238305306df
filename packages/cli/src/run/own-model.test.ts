import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useEngine } from '@sbp/engine';
import { philox } from '@sbp/math';
import { saveModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';
import { readJson } from './run-folder.js';

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const train = { epochs: 3, batchSize: 20, replicas: 1, learningRate: 0.01 };
const common = { engine: 'wasm', bench: { batchSizes: [1], repeats: 1 } };

function write(name: string, config: object): void {
  writeFileSync(join(folder, name), JSON.stringify({ ...common, ...config }));
}

/** A table of three numbers and what they come to. */
function writeTable(rows: number): void {
  const draws = philox(1, 1).uniforms(0, new Float32Array(3 * rows));
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b, c] = draws.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    return [a, b, c, 3 * a - 2 * b + c * c].map((value) => value.toFixed(5)).join(',');
  });
  writeFileSync(join(folder, 'table.csv'), `a,b,c,price\n${lines.join('\n')}\n`);
}

/** Bright and dark images, in a folder each. */
function writeImages(each: number): void {
  const draws = philox(2, 1).uniforms(0, new Float32Array(2 * each * 64));
  for (const [k, name] of ['bright', 'dark'].entries()) {
    mkdirSync(join(folder, 'photos', name), { recursive: true });
    for (let i = 0; i < each; i++) {
      const at = 64 * (k * each + i);
      const data = Uint8Array.from(draws.subarray(at, at + 64), (u) => 100 * u + (k === 0 ? 140 : 0));
      writeFileSync(
        join(folder, 'photos', name, `${i}.png`),
        encode({ width: 8, height: 8, channels: 1, data }),
      );
    }
  }
}

beforeAll(async () => {
  await useEngine('wasm');
  const regression = tf.sequential({
    layers: [
      tf.layers.dense({ name: 'first', inputShape: [3], units: 12, activation: 'relu' }),
      tf.layers.dense({ name: 'second', units: 8, activation: 'relu' }),
      tf.layers.dense({ name: 'price', units: 1 }),
    ],
  });
  await saveModel(regression, join(folder, 'web'));
  const classifier = tf.sequential({
    layers: [
      tf.layers.conv2d({
        name: 'conv',
        inputShape: [8, 8, 1],
        filters: 6,
        kernelSize: 3,
        activation: 'relu',
      }),
      tf.layers.batchNormalization({ name: 'norm' }),
      tf.layers.globalAveragePooling2d({}),
      tf.layers.dense({ name: 'hidden', units: 6, activation: 'relu' }),
      tf.layers.dense({ name: 'classes', units: 2, activation: 'softmax' }),
    ],
  });
  await saveModel(classifier, join(folder, 'eyes'));
  const [input, mask] = [
    tf.input({ shape: [8, 8, 1] }),
    tf.layers.conv2d({ name: 'mask', filters: 2, kernelSize: 1, activation: 'softmax' }),
  ];
  const inner = tf.layers.conv2d({
    name: 'inner',
    filters: 6,
    kernelSize: 3,
    padding: 'same',
    activation: 'relu',
  });
  await saveModel(
    tf.model({ inputs: input, outputs: mask.apply(inner.apply(input)) as tf.SymbolicTensor }),
    join(folder, 'masks'),
  );
  writeTable(120);
  writeImages(30);
  writeFileSync(
    join(folder, 'masks.mjs'),
    `const size = 40;
     const x = Float32Array.from({ length: size * 64 }, (_, i) => Math.abs(Math.sin(i * i)));
     const y = Int32Array.from(x, (value) => Number(value > 0.5));
     const part = (from, to) => ({ x: { shape: [to - from, 8, 8, 1], data: x.slice(64 * from, 64 * to) }, y: { shape: [to - from, 8, 8], data: y.slice(64 * from, 64 * to) } });
     export const train = part(0, 30);
     export const test = part(30, 40);`,
  );
});

describe('sbp train of a model of one’s own', () => {
  it('regression on a table: trained as it is, from there with noise, cut, fine-tuned, swept, told', async () => {
    const data = { source: 'table.csv', label: 'price' };
    write('plain.json', { name: 'plain', model: 'web', method: 'original', data, train });
    const plain = await sbp(folder, 'train', 'plain.json');
    expect(plain.code, plain.stderr).toBe(0);
    expect(plain.stdout).toMatch(/web on table\.csv: 96 training examples, 12 test examples\n/);
    write('small.json', {
      ...{ name: 'small', model: 'web/model.json', data, from: 'plain' },
      noise: { klScale: 30, logSigmaInit: -1.5 },
      train: { ...train, schedule: 'cosine', optimizer: 'adamw', distillation: { weight: 0.3 } },
      fineTune: { ...train, seed: undefined, replicas: undefined, epochs: 2 },
    });
    const small = await sbp(folder, 'train', 'small.json');
    expect(small.code, small.stderr).toBe(0);
    expect(small.stdout).toContain('root mean squared error');
    const result = readJson<{
      measure: string;
      examples: object;
      rows: { error: number; widths: string }[];
      report: { reduction: number };
    }>(join(folder, 'runs/small/result.json'));
    expect(result).toMatchObject({
      measure: 'root mean squared error',
      examples: { train: 96, validation: 12, test: 12 },
    });
    expect(result.rows).toHaveLength(4);
    for (const { error } of result.rows) expect(error).toBeGreaterThan(0);
    expect(result.rows[0]!.widths).toMatch(/^\d+(-\d+)*$/);
    expect(readFileSync(join(folder, 'runs/small/table.md'), 'utf8')).toContain('root mean squared error');

    // begun, the run has a model of its own: it is the same whatever becomes of the file
    const again = await sbp(folder, 'train', 'small.json', '--phase', 'bench', '--again');
    expect(again.code, again.stderr).toBe(0);
    const sweep = await sbp(folder, 'sweep-threshold', 'runs/small', '--out', 'out');
    expect(sweep.code, sweep.stderr).toBe(0);
    expect(sweep.stdout).toContain('root mean squared error, test set');
    const table = await sbp(folder, 'table', 'runs/plain', 'runs/small', '--out', 'out');
    expect(table.code, table.stderr).toBe(0);
    const report = await sbp(folder, 'report', 'runs/small');
    expect(report.code, report.stderr).toBe(0);
    expect(readFileSync(join(folder, 'runs/small/report.html'), 'utf8')).not.toMatch(
      /error (%|\(%\))|share that is wrong/,
    );
  });

  it('classes on a folder of images, and masks from a module', async () => {
    write('eyes.json', {
      ...{ name: 'eyes', model: 'eyes', train, freezeBatchNorm: true },
      data: { source: 'photos', normalize: '0..1', augment: ['flip'] },
      bench: { ...common.bench, runtimes: ['onnxruntime'] },
    });
    const eyes = await sbp(folder, 'train', 'eyes.json');
    expect(eyes.code, eyes.stderr).toBe(0);
    expect(eyes.stdout).toMatch(/eyes on photos: 48 training examples, 6 test examples\n/);
    expect(eyes.stdout).toMatch(/every prediction equal/);
    write('masks.json', { name: 'masks', model: 'masks', train, data: { source: 'masks.mjs' } });
    const masks = await sbp(folder, 'train', 'masks.json', '--json');
    expect(masks.code, masks.stderr).toBe(0);
    expect(JSON.parse(masks.stdout)).toMatchObject({ measure: 'error %', examples: { train: 30, test: 10 } });
  });

  it.each<[string, object, RegExp]>([
    ['images are not read without a range', { model: 'eyes', data: { source: 'photos' } }, /normalize/],
    ['data does not fit', { model: 'eyes', data: { source: 'table.csv', label: 'price' } }, /table\.csv/],
    ['there is no such column', { model: 'web', data: { source: 'table.csv', label: 'prise' } }, /prise/],
    ['it is no model', { model: 'table.csv', data: { source: 'table.csv', label: 'price' } }, /table\.csv/],
    ['digits do not fit', { model: 'web' }, /the model has 1 outputs, mnist-test has 10 classes/],
    [
      'folders are read class by class',
      { model: 'eyes', data: { source: 'photos', normalize: '0..1', trainExamples: 10 } },
      /data\.trainExamples: the first 10 training examples of .*photos are of 1 of its 2 classes/,
    ],
    [
      'nothing teaches',
      { model: 'lenet5', train: { ...train, distillation: {} } },
      /train\.distillation is \{\}; expected left out/,
    ],
  ])('refuses in one line where %s', async (_, config, line) => {
    write('wrong.json', { name: 'wrong', train, ...config });
    const { code, stderr } = await sbp(folder, 'train', 'wrong.json');
    expect(stderr).toMatch(line);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((each) => each.startsWith('sbp: ')),
    ).toHaveLength(1);
    expect(stderr.length).toBeLessThan(700);
    expect([1, 2]).toContain(code);
  });
});
