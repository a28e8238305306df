import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, emptyFolder, spawned, start } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';
import { runPaths } from './run-folder.js';

/** Small, quick, and hard enough on its groups that some go. */
const config = {
  name: 'whole',
  net: 'lenet-fc',
  data: { trainExamples: 1000 },
  noise: { klScale: 4, logSigmaInit: -1, threshold: 1.7 },
  train: { epochs: 2, batchSize: 50, noiseRate: 30, replicas: 1 },
  engine: 'wasm',
  bench: { repeats: 1 },
};

let folder: string;
let whole: Ended;
const paths = (name: string) => runPaths(join(folder, 'runs', name));
/** vitest takes seconds to compare two large buffers. */
const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
const weights = (model: string) => sha256(join(model, 'weights.bin'));
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const epochs = (name: string) =>
  readFileSync(paths(name).metrics, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function until(condition: () => boolean, ended: Promise<unknown>): Promise<void> {
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!condition()) {
    if (over) throw new Error('it ended before it could be stopped');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

beforeAll(async () => {
  folder = emptyFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  whole = await spawned(folder, 'train', 'config.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('sbp train', () => {
  it('trains, prunes, checks, times and leaves everything in the folder', () => {
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(/Engine: wasm [\d.]+ \(CPU\), 1 replica\n/);
    expect(whole.stdout).toMatch(/epoch 2\/2 100 % .+ images\/s .+ error [\d.]+ % {2}\d+-\d+-\d+ /);
    expect(whole.stdout).toMatch(/every prediction equal, on 10,000 test images/);
    expect(whole.stdout).toContain(readFileSync(paths('whole').table, 'utf8').trim());
    expect(readdirSync(paths('whole').folder).sort()).toEqual(
      [
        'checkpoints',
        'events',
        'config.json',
        'metrics.jsonl',
        'network.onnx',
        'noisy',
        'pruned',
        'pruning.json',
        'result.json',
        'seals',
        'snr.svg',
        'table.md',
        'trained',
        'training.json',
        'training.svg',
        'widths.svg',
      ].sort(),
    );
    expect(epochs('whole').map(({ epoch }) => epoch)).toEqual([1, 2]);
    for (const chart of [paths('whole').trainingChart, paths('whole').widthsChart, paths('whole').snrChart])
      expect(readFileSync(chart, 'utf8')).toMatch(/^<svg[^>]*>[\s\S]+<\/svg>\s*$/);
  });

  it('writes down the config with its defaults, the machine, and figures that fit together', () => {
    const result = json(paths('whole').result);
    expect(result.config.train).toMatchObject({ epochs: 2, learningRate: 1e-3, seed: 0 });
    expect(result.config.noise.klWeight).toBe('macs');
    expect(result.engine.name).toBe('wasm');
    expect(result.environment.node).toBe(process.version);
    expect(result.agreement).toMatchObject({ examples: 10_000, otherPredictions: 0 });
    expect(result.agreement.maxDifference).toBeLessThanOrEqual(1e-5);
    const [original, noisy, pruned] = result.rows;
    expect(original).toMatchObject({ error: null, macs: 545_000, parameters: 545_810, reduction: 1 });
    expect(original.widths).toBe('784-500-300');
    expect(noisy.error).toBe(epochs('whole').at(-1).error);
    expect(pruned.error).toBe(noisy.error);
    expect(pruned.macs).toBeLessThan(original.macs);
    expect(pruned.reduction).toBeCloseTo(original.macs / pruned.macs);
    expect(pruned.widths).toBe(Object.values(epochs('whole').at(-1).kept).join('-'));
    const [input, dense1, dense2] = pruned.widths.split('-').map(Number);
    expect(input * dense1 * dense2).toBeGreaterThan(0);
    expect(dense1).toBeLessThan(500);
    expect(pruned.speedups).toMatchObject([
      { runtime: 'wasm', device: 'CPU', batchSize: 1 },
      { runtime: 'wasm', device: 'CPU', batchSize: 100 },
    ]);
    expect(noisy.speedups).toBeNull();
    const bytes = (name: string) => readFileSync(join(paths('whole').pruned, name)).length;
    expect(pruned.bytes).toBe(bytes('model.json') + bytes('weights.bin'));
  });

  it('can be reported, its signal-to-noise ratios those that pruned it', async () => {
    expect(await sbp(folder, 'report', 'runs/whole', '--out', 'whole.html')).toMatchObject({
      code: 0,
      stderr: '',
    });
    const html = readFileSync(join(folder, 'whole.html'), 'utf8');
    for (const { name, groups, above } of json(paths('whole').result).report.layers) {
      const count = `${name}  ${above} of ${groups} above 1.7`;
      expect(html).toContain(count);
      expect(readFileSync(paths('whole').snrChart, 'utf8')).toContain(count);
    }
  });

  it('says that a run is done and prints its table again', async () => {
    const before = sha256(paths('whole').result);
    const again = await sbp(folder, 'train', 'config.json');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toMatch(/^runs\/whole is done/);
    expect(again.stdout).toContain(readFileSync(paths('whole').table, 'utf8').trim());
    expect(sha256(paths('whole').result)).toBe(before);
    const { stdout } = await sbp(folder, 'train', 'config.json', '--json');
    expect(JSON.parse(stdout)).toEqual(json(paths('whole').result));
  });

  it('goes on with the engine that a run has, unless another one is named', async () => {
    const { engine, ...rest } = config;
    writeFileSync(join(folder, 'auto.json'), JSON.stringify(rest));
    expect((await sbp(folder, 'train', 'auto.json')).stdout).toMatch(/^runs\/whole is done/);
    const { code, stderr } = await sbp(folder, 'train', 'auto.json', '--engine', 'cpu');
    expect(code).toBe(2);
    expect(stderr).toMatch(/runs\/whole holds a run with another engine: "wasm" there, "cpu" now/);
  });

  it('names the field in which a folder holds another run', async () => {
    const { code, stderr } = await sbp(folder, 'train', 'config.json', '--epochs', '4');
    expect(code).toBe(2);
    expect(stderr).toBe(
      'sbp: runs/whole holds a run with another train.epochs: 2 there, 4 now; give this one another --name, or delete the folder to run it anew.\n',
    );
  });

  it('killed after the last epoch, finishes without training anew', async () => {
    const { result, pruned } = paths('whole');
    const before = weights(pruned);
    rmSync(result);
    rmSync(pruned, { recursive: true });
    const { code, stdout } = await sbp(folder, 'train', 'config.json');
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/^epoch/m);
    expect(weights(pruned)).toBe(before);
  });

  it('stopped by Ctrl-C, says what is kept and how to go on', async () => {
    const args = ['train', 'config.json', '--name', 'stopped', '--json'];
    const { child, ended } = start(folder, args);
    await until(() => existsSync(join(paths('stopped').checkpoints, 'current.bin')), ended);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    // with --json standard output is for the result alone
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(
      // the first is written before the first evaluation
      /^LeNet-fc on MNIST[\s\S]+\n\nStopped; kept in runs\/stopped up to (image 1,000 of|the end of) epoch 1 of 2: the same command goes on from there\.\n$/,
    );
  });
});

describe('what a run leaves', () => {
  it.each(['noisy', 'pruned'] as const)('%s/model.json opens over HTTP in plain tfjs', async (name) => {
    const server = createServer((request, response) => {
      response.end(readFileSync(join(paths('whole')[name], request.url!)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const script = `
        import * as tf from '@tensorflow/tfjs';
        const model = await tf.loadLayersModel('http://127.0.0.1:${port}/model.json');
        const y = model.predict(tf.zeros([2, 28, 28, 1]));
        console.log(JSON.stringify({ shape: y.shape, sum: y.sum().dataSync()[0] }));`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
        cwd: new URL('../..', import.meta.url),
      });
      const { shape, sum } = JSON.parse(stdout.trim().split('\n').at(-1)!);
      expect(shape).toEqual([2, 10]);
      expect(sum).toBeCloseTo(2, 4);
    } finally {
      server.close();
    }
  });

  it('sbp prune makes the same network of trained/ as the run did', async () => {
    const { code, stdout } = await sbp(folder, 'prune', 'runs/whole/trained/model.json', '--json');
    expect(code).toBe(0);
    const { folder: out, report } = JSON.parse(stdout);
    expect(out).toBe('runs/whole/trained-pruned');
    expect(report).toEqual(json(paths('whole').result).report);
    expect(weights(join(folder, out))).toBe(weights(paths('whole').pruned));
  });

  it('sbp prune takes a threshold and says what became of each layer', async () => {
    const { code, stdout } = await sbp(
      folder,
      ...'prune runs/whole/trained --threshold 1e3 --out tiny'.split(' '),
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/\| dense1 +\| +500 \| +0 \| +1 \|/);
    expect(stdout).toMatch(/dense1: none is above the threshold, so the best one stays/);
    expect(stdout).toMatch(/545,000 → [\d,]+ multiply-accumulates \([\d.]+×\).*\nWritten to tiny \(/);
  });

  it('sbp flops counts layer by layer', async () => {
    const { stdout } = await sbp(folder, 'flops', 'runs/whole/noisy');
    expect(stdout).toMatch(/\| dense1 +\| 392,000 \| +71\.9 % \| +392,500 \|/);
    expect(stdout).toMatch(/\| all +\| 545,000 \| +100\.0 % \| +545,810 \|/);
    const counted = JSON.parse((await sbp(folder, 'flops', 'runs/whole/pruned', '--json')).stdout);
    expect(counted.macs).toBe(json(paths('whole').result).rows[2].macs);
  });

  it('sbp bench times them side by side', async () => {
    const args = 'bench runs/whole/noisy runs/whole/pruned --engines wasm --batch 1,10 --repeats 1'.split(
      ' ',
    );
    const { stdout } = await sbp(folder, ...args);
    expect(stdout).toMatch(/\| noisy +\| wasm +\| +1 \|/);
    expect(stdout).toMatch(/\| pruned +\| wasm +\| +10 \|/);
    const { rows } = JSON.parse((await sbp(folder, ...args, '--json')).stdout);
    expect(rows).toHaveLength(4);
  });
});
