import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { saveModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder, spawned } from './testing/process.js';
import { sbp } from './testing/sbp.js';

let folder: string;
const write = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = emptyFolder();
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], name: 'd' })] });
  await saveModel(model, join(folder, 'plain'));
  const other = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [5] })] });
  await saveModel(other, join(folder, 'other'));
  for (const name of ['cut', 'alone']) {
    mkdirSync(join(folder, name));
    copyFileSync(join(folder, 'plain/model.json'), join(folder, name, 'model.json'));
  }
  copyFileSync(join(folder, 'plain/weights.bin'), join(folder, 'cut/weights.bin'));
  truncateSync(join(folder, 'cut/weights.bin'), 11);
  mkdirSync(join(folder, 'digits'));
  mkdirSync(join(folder, 'taken/full'), { recursive: true });
  write('taken/full/thesis.tex', 'years of work');
  write('package.json', '{}');
  write('good.json', { name: 'good', model: 'lenet-fc' });
  write('full.json', { name: 'full', model: 'lenet-fc' });
  write('torn.json', '{ "name": "x", ');
  write('misspelt.json', { name: 'x', model: 'lenet5', train: { epoch: 6 } });
  write('typed.json', { name: 'x', model: 'lenet5', train: { epochs: 'six' } });
  write('whole.json', { name: 'x', model: 'lenet5', train: { epochs: 2.5 } });
  write('set.json', { name: 'x', model: 'lenet5', data: { source: 'mnits' } });
  write('weight.json', { name: 'x', model: 'lenet5', noise: { klWeight: 'flops' } });
  write('images.json', { name: 'x', model: 'vgg-like' });
  write('digits.json', { name: 'x', model: 'lenet5', engine: 'cpu', data: { folder: 'digits' } });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('sbp', () => {
  it.each([
    ['--help', 'train [options] <config.json>'],
    ['train --help', '$ sbp train quickstart.json --name long --epochs 30'],
    ['prune --help', '$ sbp prune runs/quickstart/trained/model.json'],
    ['flops --help', '$ sbp flops runs/quickstart/pruned/model.json'],
    ['bench --help', '$ sbp bench runs/quickstart/noisy runs/quickstart/pruned'],
    ['sweep --help', '$ sbp sweep status sweep.json'],
    ['table --help', '$ sbp table results --published published.json --out results'],
    ['sweep-threshold --help', '$ sbp sweep-threshold runs/quickstart'],
    ['engine --help', '$ sbp engine install tensorflow'],
    ['engine install --help', '--gpu'],
  ])('%s shows examples', async (args, expected) => {
    const { code, stdout, stderr } = await sbp(folder, ...args.split(' '));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(expected);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect((await sbp(folder, '--version')).stdout).toBe(`${version}\n`);
  });

  const cases: [args: string, line: RegExp][] = [
    ['trian', /unknown command 'trian' \(Did you mean train\?\); sbp --help/],
    ['train', /missing required argument 'config.json'; sbp train --help/],
    ['train good.json --epoch 3', /unknown option '--epoch' \(Did you mean --epochs\?\)/],
    ['train good.json --epochs six', /'--epochs <n>' argument 'six' is invalid\. Expected a whole number/],
    [
      'train good.json --engine gpu',
      /'--engine <engine>' argument 'gpu' is invalid\. .*auto, tensorflow, wasm/,
    ],
    ['train good.json --epochs 0', /--epochs is 0; expected a number of at least 1\./],
    ['train good.json --train-examples 70000', /--train-examples is 70000; expected at most 60000/],
    ['train none.json', /none\.json: there is no such file; give a config/],
    ['train torn.json', /torn\.json is not JSON: .+; correct it there/],
    [
      'train misspelt.json',
      /misspelt\.json: train\.epoch: there is no such field; there are epochs, batchSize/,
    ],
    ['train typed.json', /typed\.json: train\.epochs is "six"; expected a number\./],
    ['train whole.json', /whole\.json: train\.epochs is 2\.5; expected a whole number\./],
    [
      'train set.json',
      /set\.json: data\.source is "mnits", and there is no such file or folder; expected 'mnist' or 'cifar10', or the path of data/,
    ],
    [
      'train weight.json',
      /weight\.json: noise\.klWeight is "flops"; expected 'macs' or a number or an object/,
    ],
    [
      'train images.json',
      /images\.json: data\.source is not given; expected 'cifar10', the images that 'vgg-like' takes/,
    ],
    ['train digits.json', /digits\/train-images-idx3-ubyte.*expected/],
    ['train full.json --runs taken', /taken\/full holds files but no run/],
    ['train good.json --runs package.json', /package\.json is a file, where runs are kept in folders/],
    ['prune plain', /plain has no noise layers, so nothing says what can go/],
    ['prune plain/model.json --threshold -1', /'--threshold <ratio>' argument '-1' is invalid/],
    ['flops none/model.json', /none\/model\.json: there is no such file/],
    ['flops package.json', /package\.json has no modelTopology; expected a tfjs layers model/],
    ['flops digits', /digits has no model\.json/],
    ['flops torn.json', /torn\.json is not JSON; expected a tfjs layers model/],
    [
      'flops cut',
      /cut\/weights\.bin: expected 60 bytes, as model\.json says, found 11; copy or save the model anew/,
    ],
    ['flops alone', /alone\/weights\.bin is missing; model\.json keeps its weights there/],
    ['bench plain other', /other takes \[5\] and plain \[4\]; give models with the same input/],
    [
      'bench plain --engines warp',
      /'--engines <names>' argument 'warp' is invalid\. Expected tensorflow, wasm, cpu/,
    ],
    ['bench plain --batch 0', /'--batch <sizes>' argument '0' is invalid/],
    ['engine install torch', /'torch' is invalid for argument 'engine'. Allowed choices are tensorflow/],
  ];
  it.each(cases)('%s ends in one line and code 2', async (args, line) => {
    const { code, stdout, stderr } = await sbp(folder, ...args.split(' '));
    expect(stderr).toMatch(line);
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it.each(['trian', 'train misspelt.json', 'flops cut'])('%s ends alike as a process', async (args) => {
    const { code, stdout, stderr } = await spawned(folder, ...args.split(' '));
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('leaves no folder of a run that could not begin', async () => {
    await sbp(folder, 'train', 'digits.json', '--runs', 'nothing');
    expect(() => readFileSync(join(folder, 'nothing/x/config.json'))).toThrow(/ENOENT/);
  });
});
