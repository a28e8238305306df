import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leNetFc } from '@sbp/layers';
import { loadModel, saveModel } from '@sbp/model';
import { exportOnnx } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder, sbp } from '../testing/sbp.js';

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
  const lstm = tf.layers.convLstm2d({
    filters: 2,
    kernelSize: 2,
    name: 'l',
    inputShape: [3, 4, 4, 1],
  } as never);
  await saveModel(tf.sequential({ layers: [lstm] }), join(folder, 'recurrent'));
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
    ['recurrent --onnx a.onnx', /layer 'l' \(ConvLSTM2D\) is not a layer that exportOnnx knows/],
    ['nowhere --onnx a.onnx', /nowhere: there is no such file/],
  ])('export %s ends in one line and code 2, with nothing written', async (args, line) => {
    const { code, stdout, stderr } = await sbp(folder, 'export', ...args.split(' '));
    expect(stderr).toMatch(line);
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(join(folder, 'a.onnx'))).toBe(false);
  });

  it('names the folder that is not there, and leaves no half of a file', async () => {
    const { code, stderr } = await sbp(folder, 'export', 'plain', '--onnx', 'no/such/net.onnx');
    expect(stderr).toMatch(/^sbp: .*no\/such\/net\.onnx[^\n]*\n$/);
    expect(code).toBe(1);
    expect(readdirSync(folder).filter((name) => /tmp|^no$/.test(name))).toEqual([]);
  });
});
