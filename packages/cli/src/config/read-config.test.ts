import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { emptyFolder } from '../testing/process.js';
import { readRunConfig } from './read-config.js';

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));

function read(value: unknown, overrides = {}) {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(value));
  return readRunConfig(file, overrides);
}

describe('readRunConfig', () => {
  it('fills in the defaults that prune', () => {
    const config = read({ name: 'a', net: 'lenet5' });
    expect(config).toMatchObject({
      model: 'lenet5',
      data: { source: 'mnist' },
      noise: { klWeight: 'macs', klScale: 1, logSigmaInit: -3, threshold: 1 },
      train: { epochs: 6, batchSize: 128, noiseRate: 10 },
      engine: 'auto',
      bench: { batchSizes: [1, 100] },
    });
  });

  it('lays flags over the file, also over parts that the file leaves out', () => {
    const overrides = { name: 'b', epochs: 2, trainExamples: 10, engine: 'cpu', seed: undefined };
    expect(read({ name: 'a', net: 'lenet5', train: { seed: 7 } }, overrides)).toMatchObject({
      name: 'b',
      data: { trainExamples: 10 },
      train: { epochs: 2, seed: 7 },
      engine: 'cpu',
    });
  });

  it("takes the data's folder relative to the config", () => {
    mkdirSync(join(folder, 'digits'));
    expect(read({ name: 'a', net: 'lenet5', data: { folder: 'digits' } }).data.folder).toBe(
      join(folder, 'digits'),
    );
  });

  it('takes names from the seed', () => {
    const config = { name: 'sbp-{seed}', from: 'original-{seed}', net: 'lenet5', train: { seed: 2 } };
    expect(read(config)).toMatchObject({ name: 'sbp-2', from: 'original-2' });
    expect(read(config, { seed: 7 })).toMatchObject({ name: 'sbp-7', from: 'original-7' });
    expect(read({ name: 'original', net: 'lenet5' }).from).toBeUndefined();
  });

  it("lays 'short' over the rest for the short budget, under the flags, and marks the names", () => {
    const config = {
      name: 'sbp',
      from: 'original',
      net: 'lenet5',
      noise: { klWeight: { conv1: 5, conv2: 2 } },
      train: { epochs: 60, batchSize: 100 },
      short: { train: { epochs: 3 }, data: { trainExamples: 600 }, noise: { klWeight: { conv1: 9 } } },
    };
    expect(read(config)).toMatchObject({ name: 'sbp', budget: 'full', train: { epochs: 60 } });
    expect(read(config)).not.toHaveProperty('short');
    expect(read(config, { budget: 'short' })).toMatchObject({
      name: 'sbp-short',
      from: 'original-short',
      budget: 'short',
      noise: { klWeight: { conv1: 9, conv2: 2 } },
      data: { trainExamples: 600 },
      train: { epochs: 3, batchSize: 100 },
    });
    expect(read(config, { budget: 'short', epochs: 1 }).train.epochs).toBe(1);
    expect(() => read({ name: 'a', net: 'lenet5' }, { budget: 'short' })).toThrow(
      /config\.json: short is not given; expected an object that says what --budget short changes/,
    );
  });

  it("lays 'medium' over the rest for that budget, and has nothing of it otherwise", () => {
    const config = {
      ...{ name: 'sbp', from: 'pretrain', net: 'vgg-like', data: { set: 'cifar10' }, freezeBatchNorm: true },
      train: { epochs: 300, l2: { from: 0, to: 1 } },
      medium: { scale: 0.25, train: { epochs: 12, l2: 0.5 } },
      short: { scale: 0.1 },
    };
    expect(read(config, { budget: 'medium' })).toMatchObject({
      ...{
        name: 'sbp-medium',
        from: 'pretrain-medium',
        budget: 'medium',
        scale: 0.25,
        freezeBatchNorm: true,
      },
      train: { epochs: 12, l2: 0.5 },
    });
    expect(read(config)).not.toHaveProperty('medium');
    expect(read(config).train.l2).toEqual({ from: 0, to: 1 });
    expect(() => read({ name: 'a', net: 'lenet5' }, { budget: 'medium' })).toThrow(
      /config\.json: medium is not given; expected an object that says what --budget medium changes/,
    );
  });

  it('has paths of a model and of data relative to the config, and older names of fields as they were', () => {
    writeFileSync(join(folder, 'table.csv'), '');
    expect(read({ name: 'a', model: '.', data: { source: 'table.csv' } })).toMatchObject({
      model: folder,
      data: { source: join(folder, 'table.csv') },
    });
    expect(read({ name: 'a', model: 'https://example.org/model.json' }).model).toBe(
      'https://example.org/model.json',
    );
    expect(read({ name: 'a', net: 'vgg-like', data: { set: 'cifar10', augment: true } })).toEqual(
      read({ name: 'a', model: 'vgg-like', data: { source: 'cifar10', augment: true } }),
    );
  });

  it('reads the example that the package brings', () => {
    const examples = fileURLToPath(new URL('../../examples', import.meta.url));
    expect(readRunConfig(join(examples, 'lenet-fc.json')).name).toBe('first');
  });

  it.each<[unknown, string]>([
    [[], ': the config is []; expected an object { … }.'],
    [{ net: 'lenet5' }, ': name is not given; expected a string in quotes.'],
    [{ name: '../up', net: 'lenet5' }, ': name is "../up"; expected letters, digits, . _ - and {seed} only'],
    [{ name: 'a', model: 5 }, ': model is 5; expected a string in quotes.'],
    [{ name: 'a' }, ': model is not given; expected a string in quotes.'],
    [
      { name: 'a', model: 'lenet' },
      `: model is "lenet", and there is no such file or folder; expected 'lenet5' or 'lenet-fc' or 'vgg-like', or the path of a model, relative to the config.`,
    ],
    [
      { name: 'a', model: 'lenet5', data: { source: 'mnits' } },
      `: data.source is "mnits", and there is no such file or folder; expected 'mnist' or 'cifar10', or the path of data, relative to the config.`,
    ],
    [
      { name: 'a', model: 'lenet5', net: 'lenet5' },
      ': net: there is no such field; there are name, title, model, scale, method,',
    ],
    [
      { name: 'a', model: 'vgg-like' },
      `: data.source is not given; expected 'cifar10', the images that 'vgg-like' takes, or a path.`,
    ],
    [
      { name: 'a', model: '.', method: 'ssl' },
      `: method is "ssl"; expected 'structured-bp' or 'original': ssl is for the paper's networks (lenet5, lenet-fc, vgg-like) alone.`,
    ],
    [{ name: 'a', model: '.', scale: 2 }, `: scale is 2; expected left out: only 'vgg-like' has one.`],
    [
      { name: 'a', model: 'lenet5', data: { source: '.', folder: '.' } },
      ': data.folder is "."; expected left out: only mnist and cifar10 have it.',
    ],
    [
      { name: 'a', model: 'lenet5', data: { source: '.', validation: 10 } },
      ': data.validation is 10; expected left out: only mnist and cifar10 have it.',
    ],
    [
      { name: 'a', model: 'lenet5', data: { source: '.', augment: true } },
      ': data.augment is true; expected a list of flip, crop, color, cutout.',
    ],
    [
      { name: 'a', model: 'lenet5', data: { source: '.', augment: ['flop'] } },
      ": data.augment is [\"flop\"]; expected true or false or a list [ … ] whose 0 is 'flip' or 'crop' or 'color' or 'cutout'.",
    ],
    [
      { name: 'a', model: 'lenet5', data: { normalize: '0..1' } },
      ': data.normalize is "0..1"; expected left out: mnist is read as it is published.',
    ],
    [
      { name: 'a', model: 'lenet5', data: { source: '.', normalize: '0-1' } },
      `: data.normalize is "0-1"; expected '0..1' or '-1..1' or 'imagenet' or 'none'.`,
    ],
    [{ name: 'a', net: 'lenet5', scale: 2 }, `: scale is 2; expected left out: only 'vgg-like' has one.`],
    [{ name: 'a', net: 'lenet5', train: 6 }, ': train is 6; expected an object { … }.'],
    [
      { name: 'a', net: 'lenet5', train: { decayFrom: 2 } },
      ': train.decayFrom is 2; expected a number of at most 1.',
    ],
    [
      { name: 'a', net: 'lenet5', train: { learningRate: 0 } },
      ': train.learningRate is 0; expected a number above 0.',
    ],
    [
      { name: 'a', net: 'lenet5', bench: { batchSizes: [] } },
      ': bench.batchSizes is []; expected at least 1 in it.',
    ],
    [
      { name: 'a', net: 'lenet5', bench: { batchSizes: [1, 'x'] } },
      ': bench.batchSizes.1 is "x"; expected a number.',
    ],
    [
      { name: 'a', net: 'lenet5', noise: { bounds: { a: 0, b: 0 } } },
      ': noise.bounds is {"a":0,"b":0}; expected a below b.',
    ],
    [
      { name: 'a', net: 'lenet5', data: { trainExamples: 100, validation: 100 } },
      ': data.validation is 100; expected less than the 100 training images that it is taken from.',
    ],
    [
      { name: 'a', net: 'lenet5', method: 'original', fineTune: {} },
      ": fineTune is {}; expected left out: nothing is cut from the method 'original'.",
    ],
    [
      { name: 'a', net: 'lenet5', noise: { klWeight: { conv1: -1 } } },
      ': noise.klWeight.conv1 is -1; expected a number of at least 0.',
    ],
    [
      { name: 'a', net: 'lenet5', dropout: true },
      ": dropout is true; expected left out: only 'vgg-like' has it.",
    ],
    [
      { name: 'a', net: 'lenet5', from: 'b', freezeBatchNorm: true },
      ": freezeBatchNorm is true; expected left out: only 'vgg-like' has batch norm.",
    ],
    [
      { name: 'a', net: 'vgg-like', data: { set: 'cifar10' }, freezeBatchNorm: true },
      ": freezeBatchNorm is true; expected left out, or 'from' given: an untrained network has no statistics to keep.",
    ],
    [{ name: 'a', net: 'lenet5', train: { l2: -1 } }, ': train.l2 is -1; expected a number of at least 0.'],
    [
      { name: 'a', net: 'lenet5', train: { l2: { from: 1 } } },
      ': train.l2 is {"from":1}; expected a number or an object { … } whose to is a number.',
    ],
    [
      { name: 'a', net: 'lenet5', noises: {} },
      ': noises: there is no such field; there are name, title, model, scale, method,',
    ],
  ])('says of %j where, what and what was expected', (value, line) => {
    expect(() => read(value)).toThrow(line);
  });
});
