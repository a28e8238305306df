import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { saveModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = emptyFolder();
  const conv = (name: string) => tf.layers.conv2d({ name, filters: 2, kernelSize: 3 });
  const image = tf.input({ name: 'image', shape: [null, null, 3] });
  const one = tf.model({ inputs: image, outputs: conv('c').apply(image) as tf.SymbolicTensor });
  await saveModel(one, join(folder, 'one'));
  const mask = tf.input({ name: 'mask', shape: [null, null, 1] });
  const outputs = [conv('a').apply(image), conv('b').apply(mask)] as tf.SymbolicTensor[];
  await saveModel(tf.model({ inputs: [image, mask], outputs }), join(folder, 'two'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const macs = (stdout: string) => JSON.parse(stdout).macs;

describe('--input-shape', () => {
  it('fills in open sizes, of one input and of several by their names', async () => {
    const one = await sbp(folder, 'flops', 'one', '--json', '--input-shape', '6,7,3');
    expect(macs(one.stdout)).toBe(4 * 5 * 27 * 2);
    const named = await sbp(folder, 'flops', 'one', '--json', '--input-shape=image=6,7,3');
    expect(macs(named.stdout)).toBe(4 * 5 * 27 * 2);
    const shapes = ['--input-shape', 'image=6,7,3', '--input-shape', 'mask=4,4,1'];
    const two = await sbp(folder, 'flops', 'two', '--json', ...shapes);
    expect(macs(two.stdout)).toBe(4 * 5 * 27 * 2 + 2 * 2 * 9 * 2);
    const timed = await sbp(
      folder,
      'bench',
      'two',
      '--json',
      '--engines',
      'cpu',
      '--batch',
      '1',
      '--repeats',
      '1',
      ...shapes,
    );
    expect({ code: timed.code, stderr: timed.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(timed.stdout).rows).toHaveLength(1);
  });

  it('is what an exported file takes; without it, open sizes stay open', async () => {
    const written = async (...args: string[]) =>
      JSON.parse((await sbp(folder, 'export', 'one', '--onnx', 'one.onnx', '--json', ...args)).stdout);
    expect(await written('--input-shape', '6,7,3')).toMatchObject({
      inputs: [{ name: 'image', shape: ['batch', 6, 7, 3] }],
      outputs: [{ name: 'c', shape: ['batch', 4, 5, 2] }],
    });
    const given = readFileSync(join(folder, 'one.onnx'));
    expect(await written()).toMatchObject({ inputs: [{ shape: ['batch', 'open', 'open', 3] }] });
    expect(readFileSync(join(folder, 'one.onnx'))).not.toEqual(given);
  });

  it.each([
    [
      'flops one',
      /layer 'c' \(Conv2D\) works on open sizes, .*'image' is \[open, open, 3\].*--input-shape 224,224,3/,
    ],
    ['export one --onnx a.onnx --input-shape 5,5', /it can't be \[5, 5\]/],
    ['flops two', /--input-shape image=224,224,3 --input-shape mask=224,224,1/],
    ['flops two --input-shape 5,5,3', /has 2 inputs; give each its shape by name: image, mask/],
    ['flops two --input-shape image=5,5,3', /'mask' is \[open, open, 1\].*--input-shape mask=224,224,1/],
    ['flops one --input-shape 5,5,3 --input-shape 6,6,3', /each needs the name of its input/],
    ['flops one --input-shape 5,5,4', /'image' is of the shape \[open, open, 3\]; it can't be \[5, 5, 4\]/],
    ['flops one --input-shape 0,5,3', /'0,5,3' is invalid/],
    ['bench one', /one takes \[open, open, 3\]; give its size, such as --input-shape 224,224,3/],
    ['bench one --input-shape 5,5', /it can't be \[5, 5\]/],
  ])('%s ends in one line and code 2', async (args, line) => {
    const { code, stdout, stderr } = await sbp(folder, ...args.split(' '));
    expect(stderr).toMatch(line);
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
