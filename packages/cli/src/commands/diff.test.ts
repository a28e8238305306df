import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { noisesOf, noisyConv2d, noisyDense } from '@sbp/layers';
import { saveModel } from '@sbp/model';
import { pruneModel } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = emptyFolder();
  const net = tf.sequential({
    layers: [
      noisyConv2d({ name: 'conv', filters: 8, kernelSize: 3, inputShape: [10, 10, 1] }),
      tf.layers.reLU({ name: 'relu' }),
      tf.layers.globalAveragePooling2d({ name: 'pool' }),
      noisyDense({ name: 'hidden', units: 6, activation: 'relu' }),
      tf.layers.dense({ name: 'logits', units: 2 }),
    ],
  });
  for (const { mu, logSigma, groups } of noisesOf(net)) {
    mu.write(tf.tensor1d(Array.from({ length: groups }, (_, i) => (i < groups / 2 ? -20 : 0))));
    logSigma.write(tf.tensor1d(Array.from({ length: groups }, (_, i) => (i < groups / 2 ? 1.4 : -5))));
  }
  await saveModel(net, join(folder, 'before'));
  await saveModel(pruneModel(net).model, join(folder, 'after'));
  const open = tf.sequential({
    layers: [tf.layers.conv2d({ name: 'c', filters: 2, kernelSize: 3, inputShape: [null, null, 3] })],
  });
  await saveModel(open, join(folder, 'open'));
  const deeper = tf.sequential({
    layers: [
      tf.layers.conv2d({ name: 'c', filters: 2, kernelSize: 3, inputShape: [null, null, 3] }),
      tf.layers.activation({ name: 'extra', activation: 'relu' }),
    ],
  });
  await saveModel(deeper, join(folder, 'deeper'));
  mkdirSync(join(folder, 'empty'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const cells = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe('sbp diff', () => {
  it('prints widths, multiply-accumulates, weights and bytes of each layer and in all', async () => {
    const { code, stdout, stderr } = await sbp(folder, 'diff', 'before', 'after');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const conv = [8 * 8 * 9 * 8, 8 * 8 * 9 * 4];
    const [before, after] = [conv[0]! + 48 + 12, conv[1]! + 12 + 6];
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map(cells);
    const text = (value: number) => value.toLocaleString('en-US');
    expect(lines.slice(2)).toEqual([
      // kernel, bias and, before, μ and log σ
      [
        'conv',
        'NoisyConv2D → Conv2D',
        '8 → 4',
        text(conv[0]!),
        text(conv[1]!),
        '2.00×',
        '96',
        '40',
        '384',
        '160',
      ],
      ['hidden', 'NoisyDense → Dense', '6 → 3', '48', '12', '4.00×', '66', '15', '264', '60'],
      ['logits', 'Dense', '2', '12', '6', '2.00×', '14', '8', '56', '32'],
      [
        'all',
        '',
        '',
        text(before),
        text(after),
        `${(before / after).toFixed(2)}×`,
        '176',
        '63',
        '704',
        '252',
      ],
    ]);
    expect(stdout).toContain('Left out: 2 layers of both');
    expect(stdout).toContain(
      `multiply-accumulates: ${text(before)} → ${text(after)} (${(before / after).toFixed(2)}×)\nweights: 176 → 63 (2.79×)\nfiles: `,
    );
  });

  it('says the same as JSON, with every layer and the bytes of the files', async () => {
    const { stdout } = await sbp(folder, 'diff', 'before/model.json', 'after', '--json');
    const found = JSON.parse(stdout);
    expect(found.layers.map(({ name }: { name: string }) => name)).toEqual([
      ...['conv', 'relu', 'pool', 'hidden', 'logits'],
    ]);
    expect(found.layers[0]).toEqual({
      name: 'conv',
      before: { kind: 'NoisyConv2D', width: 8, macs: 4608, params: 96, bytes: 384 },
      after: { kind: 'Conv2D', width: 4, macs: 2304, params: 40, bytes: 160 },
    });
    expect(found.ratios.params).toBe(176 / 63);
    const bytes = (name: string) =>
      statSync(join(folder, name, 'model.json')).size + statSync(join(folder, name, 'weights.bin')).size;
    expect(found.files).toEqual({ before: bytes('before'), after: bytes('after') });
  });

  it('writes it as a page', async () => {
    const { code, stdout } = await sbp(folder, 'diff', 'before', 'after', '--html', 'diff.html');
    expect(code).toBe(0);
    expect(stdout).toMatch(/Written to diff\.html\n$/);
    const html = readFileSync(join(folder, 'diff.html'), 'utf8');
    expect(html).toContain('<h1>before and after</h1>');
    expect(html).toMatch(/<th scope="row">conv<\/th><td>NoisyConv2D → Conv2D<\/td><td>8 → 4<\/td>/);
    expect(html).toMatch(/<dt>weights<\/dt><dd>176 → 63 \(2\.79×\)<\/dd>/);
    expect(html).toMatch(/<svg class="wide"/);
    expect(html).not.toMatch(/<script|https?:/);
  });

  it('shows layers that only one has, at its place, and counts at the sizes it is given', async () => {
    const { stdout } = await sbp(folder, 'diff', 'open', 'deeper', '--input-shape', '5,5,3');
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map(cells);
    expect(lines.slice(2).map(([name]) => name)).toEqual(['c', 'extra', 'all']);
    expect(lines[2]!.slice(3, 5)).toEqual(['486', '486']);
    expect(lines[3]!.slice(1)).toEqual(['– → Activation', '– → 2', '–', '0', '–', '–', '0', '–', '0']);
  });

  it.each([
    ['before', /missing required argument 'after'; sbp diff --help/],
    ['before nowhere', /nowhere: there is no such file/],
    ['open open', /layer 'c' \(Conv2D\) works on open sizes.* --input-shape 224,224,3/],
    ['open open --input-shape 5,x,3', /'5,x,3' is invalid\. Expected sizes without the batch/],
    ['open open --input-shape 5,5', /'c_input' is of the shape \[open, open, 3\]; it can't be \[5, 5\]/],
    ['open open --input-shape image=5,5,3', /has no input 'image'; it has c_input/],
    ['before after --html empty', /--html: empty is a folder; give the file to write/],
  ])('diff %s ends in one line and code 2', async (args, line) => {
    const { code, stdout, stderr } = await sbp(folder, 'diff', ...args.split(' '));
    expect(stderr).toMatch(line);
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });
});
