import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leNetFc } from '@sbp/layers';
import { loadModel, saveModel } from '@sbp/model';
import { exportOnnx } from '@sbp/prune';
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
      tf.layers.conv2d({ filters: 2, kernelSize: 3, name: 'c', inputShape: [6, 6, 1] }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3, name: 'd' }),
    ],
  });
  await saveModel(net, join(folder, 'plain'));
  await saveModel(leNetFc(), join(folder, 'noisy'));
  const lstm = tf.layers.lstm({ units: 2, name: 'l', stateful: true, batchInputShape: [1, 3, 2] });
  await saveModel(tf.sequential({ layers: [lstm] }), join(folder, 'stateful'));
  const open = tf.layers.conv2d({ filters: 30, kernelSize: 3, name: 'o', inputShape: [null, null, 2] });
  const pool = tf.layers.globalAveragePooling2d({ name: 'p' });
  await saveModel(tf.sequential({ layers: [open, pool] }), join(folder, 'open'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('sbp export', () => {
  it('writes what exportOnnx makes of the model, over what was there', async () => {
    writeFileSync(join(folder, 'net.onnx'), 'old');
    const { code, stdout, stderr } = await sbp(folder, 'export', 'plain', '--onnx', 'net.onnx');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Written to net\.onnx \(.+, 119 parameters\)\ntakes c_input \[batch, 6, 6, 1\]\ngives d \[batch, 3\]\n$/,
    );
    const expected = exportOnnx(await loadModel(join(folder, 'plain')));
    expect(new Uint8Array(readFileSync(join(folder, 'net.onnx')))).toEqual(expected);
  });

  it('shows examples', async () => {
    const { code, stdout } = await sbp(folder, 'export', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('$ sbp export runs/quickstart/pruned --onnx pruned.onnx');
  });

  it('says the same as JSON', async () => {
    const { stdout } = await sbp(folder, 'export', 'plain/model.json', '--onnx', 'json.onnx', '--json');
    expect(JSON.parse(stdout)).toEqual({
      file: 'json.onnx',
      bytes: statSync(join(folder, 'json.onnx')).size,
      inputs: [{ name: 'c_input', shape: ['batch', 6, 6, 1] }],
      outputs: [{ name: 'd', shape: ['batch', 3] }],
    });
  });

  it.each([
    ['plain', /required option '--onnx <file>' not specified; sbp export --help/],
    [
      'noisy --onnx a.onnx',
      /layer '.+' \(.+\) has noise; give exportOnnx what pruneModel or foldNoise makes of the model/,
    ],
    ['stateful --onnx a.onnx', /layer 'l' \(LSTM\) keeps its state from one call to the next/],
    [
      'plain --onnx a.onnx --dtype int4',
      /argument 'int4' is invalid\. Allowed choices are float32, float16, int8/,
    ],
    ['nowhere --onnx a.onnx', /nowhere: there is no such file/],
  ])('export %s ends in one line and code 2, with nothing written', async (args, line) => {
    const { code, stdout, stderr } = await sbp(folder, 'export', ...args.split(' '));
    expect(stderr).toMatch(line);
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(join(folder, 'a.onnx'))).toBe(false);
  });

  it('says how much fewer bits change the outputs, on random inputs', async () => {
    const { code, stdout } = await sbp(
      folder,
      'export',
      'plain',
      '--onnx',
      'half.onnx',
      '--dtype',
      'float16',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\nd differs from float32 by 0\.00\d+ at most on 8 random inputs in float16, 0\.\d+ % of the largest; the same largest output for [78] of 8\n$/,
    );
    expect(statSync(join(folder, 'half.onnx')).size).toBeGreaterThan(0);
  });

  it('compares on given inputs, with sizes given', async () => {
    const image = [1, 2, 3, 4].map((row) => [1, 2, 3, 4].map((column) => [row / 4, column / 4]));
    writeFileSync(join(folder, 'inputs.json'), JSON.stringify({ o_input: [image, image] }));
    const args = ['open', '--onnx', 'open.onnx', '--dtype', 'int8', '--inputs', 'inputs.json', '--json'];
    const written = JSON.parse((await sbp(folder, 'export', ...args)).stdout);
    expect(written.inputs).toEqual([{ name: 'o_input', shape: ['batch', 'open', 'open', 2] }]);
    expect(written.difference).toMatchObject({ examples: 2, random: false, outputs: [{ name: 'p' }] });
    const fixed = [...args, '--input-shape', '4,4,2'];
    const { inputs } = JSON.parse((await sbp(folder, 'export', ...fixed)).stdout);
    expect(inputs).toEqual([{ name: 'o_input', shape: ['batch', 4, 4, 2] }]);
    writeFileSync(join(folder, 'inputs.json'), JSON.stringify({ o_input: [[1, 2]] }));
    const { code, stderr } = await sbp(folder, 'export', ...args);
    expect(stderr).toMatch(
      /^sbp: 'o_input' of --inputs inputs\.json is no list of numbers of the shape \[examples, any, any, 2\]/,
    );
    expect(code).toBe(2);
  });

  it('names the folder that is not there, and leaves no half of a file', async () => {
    const { code, stderr } = await sbp(folder, 'export', 'plain', '--onnx', 'no/such/net.onnx');
    expect(stderr).toMatch(/^sbp: .*no\/such\/net\.onnx[^\n]*\n$/);
    expect(code).toBe(1);
    expect(readdirSync(folder).filter((name) => /tmp|^no$/.test(name))).toEqual([]);
  });
});
