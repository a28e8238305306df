import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logNormalDropout } from '@sbp/layers';
import { saveModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawned } from './testing/process.js';
import { sbp } from './testing/sbp.js';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'sbp-strangers-'));
  const net = tf.sequential({
    layers: [
      tf.layers.dense({ units: 4, inputShape: [3], name: 'a' }),
      logNormalDropout({ name: 'n' }),
      tf.layers.dense({ units: 2, name: 'b' }),
    ],
  });
  await saveModel(net, join(folder, 'noisy'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const commands = (path: string) => [
  ['flops', path],
  ['prune', path, '--out', join(folder, 'out')],
  ['export', path, '--onnx', join(folder, 'out.onnx')],
  ['bench', path, path, '--engines', 'cpu', '--repeats', '1'],
];

const hostile = fileURLToPath(new URL('../../../../shared/hostile', import.meta.url));
const names = existsSync(hostile)
  ? readdirSync(hostile, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    )
  : ['(skipped: ../shared/hostile is absent)'];

describe.skipIf(!existsSync(hostile))('hostile files', () => {
  it.each(names)('%s ends in one line and code 2, at once, with nothing written', async (name) => {
    for (const args of commands(join(hostile, name))) {
      const began = performance.now();
      const { code, stdout, stderr } = await sbp(folder, ...args);
      expect({ code, stdout }, args.join(' ')).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^sbp: [^\n]{20,450}\n$/);
      expect(stderr).not.toMatch(/internal error|undefined|is not a function/);
      expect(performance.now() - began).toBeLessThan(5000);
    }
    expect(readdirSync(folder).filter((name) => /^out/.test(name))).toEqual([]);
  });
});

describe('configs of strangers', () => {
  const base = { name: 'x', net: 'lenet-fc', data: { folder: 'nowhere' } };
  it.each([
    ['bom.json', `\uFEFF${JSON.stringify(base)}`, /nowhere/],
    [
      'proto.json',
      '{"name": "x", "__proto__": {"a": 1}}',
      /proto\.json has a field '__proto__', which no config has/,
    ],
    [
      'bounds.json',
      JSON.stringify({ ...base, noise: { bounds: { a: -1e300, b: 0 } } }),
      /noise\.bounds\.a is -1e\+300; expected a number of at least -300/,
    ],
    [
      'title.json',
      JSON.stringify({ ...base, title: '\u001b[31mred' }),
      /title is "\\u001b\[31mred"; expected text without characters that no one sees/,
    ],
  ])('%s ends in one line and code 2', async (name, text, line) => {
    writeFileSync(join(folder, name), text);
    const { code, stderr } = await sbp(folder, 'train', name);
    expect(stderr).toMatch(line);
    expect(stderr).toMatch(/^sbp: [^\p{Cc}]+\n$/u);
    expect(code).toBe(2);
  });
});

describe('a model is not written over by what is made of it', () => {
  const contents = () =>
    ['model.json', 'weights.bin'].map((name) => readFileSync(join(folder, 'noisy', name), 'base64'));

  it.each([
    ['prune noisy --out noisy', /--out noisy is the folder of noisy itself, whose noise would be lost/],
    ['prune noisy/model.json --out ./noisy/', /--out \.\/noisy\/ is the folder of noisy\/model\.json itself/],
    ['export noisy --onnx noisy/model.json', /--onnx noisy\/model\.json is a file of the model noisy itself/],
    ['export noisy --onnx noisy/weights.bin', /--onnx noisy\/weights\.bin is a file of the model noisy/],
    ['diff noisy noisy --html noisy/model.json', /--html noisy\/model\.json is a file of the model noisy/],
  ])('%s', async (args, line) => {
    const before = contents();
    const { code, stderr } = await sbp(folder, ...args.split(' '));
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
    expect(contents()).toEqual(before);
  });
});

describe('a model at a URL', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const file = join(folder, new URL(request.url!, 'http://x').pathname);
      response.statusCode = existsSync(file) ? 200 : 404;
      response.end(existsSync(file) ? readFileSync(file) : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('is counted, cut, compared and timed like one on disk', async () => {
    const path = `${url}/noisy/model.json`;
    for (const [args, shown] of [
      [['flops', path], /^\| all/m],
      [['prune', path], /Written to noisy-pruned /],
      [['diff', path, 'noisy-pruned'], /^\| all/m],
      [['bench', path, 'noisy-pruned', '--engines', 'cpu', '--repeats', '1', '--batch', '1'], /noisy-pruned/],
    ] as const) {
      const { code, stdout, stderr } = await sbp(folder, ...args);
      expect({ code, stderr }, args.join(' ')).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(shown);
    }
  });

  it('that is not there ends in one line and code 2', async () => {
    const { code, stderr } = await sbp(folder, 'flops', `${url}/none/model.json`);
    expect(stderr).toMatch(
      /^sbp: http:\S+\/none\/model\.json can't be had: the server says 404 Not Found\n$/,
    );
    expect(code).toBe(2);
  });
});

it('ends as a process, too: links in a circle', async () => {
  const layer = (name: string, from: string) => ({
    class_name: 'Dense',
    name,
    config: { name, units: 2 },
    inbound_nodes: [[[from, 0, 0, {}]]],
  });
  const input = {
    class_name: 'InputLayer',
    name: 'x',
    config: { name: 'x', batch_input_shape: [null, 2] },
    inbound_nodes: [],
  };
  const config = {
    name: 'm',
    layers: [input, layer('a', 'b'), layer('b', 'a')],
    input_layers: [['x', 0, 0]],
    output_layers: [['b', 0, 0]],
  };
  const json = { modelTopology: { class_name: 'Model', config }, weightsManifest: [] };
  writeFileSync(join(folder, 'circle.json'), JSON.stringify(json));
  const { code, stdout, stderr } = await spawned(folder, 'flops', 'circle.json');
  expect(stderr).toMatch(
    /^sbp: circle\.json does not open: layers 'a', 'b' take their inputs from each other in a circle; [^\n]+\n$/,
  );
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
