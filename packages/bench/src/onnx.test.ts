import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportOnnx } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { BenchError, onnxRuntimeVersion, openOnnx, timeOnnx, timeOnnxLayers } from './index.js';

const net = (filters: number, units: number) =>
  exportOnnx(
    tf.sequential({
      layers: [
        tf.layers.conv2d({
          filters,
          kernelSize: 5,
          activation: 'relu',
          name: 'conv',
          inputShape: [28, 28, 1],
        }),
        tf.layers.maxPooling2d({ name: 'pool' }),
        tf.layers.flatten({ name: 'flatten' }),
        tf.layers.dense({ units, activation: 'relu', name: 'dense/1' }),
        tf.layers.dense({ units: 10, activation: 'softmax', name: 'logits' }),
      ],
    }),
  );

const quick = { repeats: 21, minSeconds: 0.002 };

describe('timeOnnx', () => {
  it('gives rows as timeModels does, and finds a far smaller network faster', async () => {
    const rows = await timeOnnx(
      [
        { name: 'wide', onnx: net(32, 500) },
        { name: 'narrow', onnx: net(3, 40) },
      ],
      { ...quick, batchSizes: [1, 20] },
    );
    expect(rows.map(({ name, engine, batchSize }) => `${name} ${engine} ${batchSize}`)).toEqual([
      'wide onnxruntime 1',
      'narrow onnxruntime 1',
      'wide onnxruntime 20',
      'narrow onnxruntime 20',
    ]);
    for (const { milliseconds, batchSize, examplesPerSecond } of rows) {
      expect(examplesPerSecond).toBeCloseTo((1000 * batchSize) / milliseconds.median);
    }
    expect(rows[2]!.speedup).toEqual({ median: 1, q1: 1, q3: 1 });
    // A tenth of the convolution's work and a hundredth of the dense layer's; a busy machine has to be very busy to hide that.
    expect(rows[3]!.speedup.median).toBeGreaterThan(1.5);
  });

  it('times a network that takes tokens', async () => {
    const x = tf.input({ shape: [6], dtype: 'int32', name: 'tokens' });
    const words = tf.layers.embedding({ inputDim: 5, outputDim: 3 }).apply(x) as tf.SymbolicTensor;
    const model = tf.model({ inputs: x, outputs: tf.layers.flatten().apply(words) as tf.SymbolicTensor });
    const entry = { name: 'tokens', onnx: exportOnnx(model) };
    const [row] = await timeOnnx([entry], { ...quick, batchSizes: [2] });
    expect(row!.milliseconds.median).toBeGreaterThan(0);
  });

  it('names what it cannot use', async () => {
    const narrow = { name: 'narrow', onnx: net(2, 2) };
    await expect(timeOnnx([])).rejects.toThrow('timeOnnx: no entries were given');
    await expect(timeOnnx([narrow, narrow])).rejects.toThrow("two entries are named 'narrow'");
    await expect(timeOnnx([narrow], { batchSizes: [0.5] })).rejects.toThrow('batchSizes holds 0.5');
    await expect(timeOnnx([{ name: 'no file', onnx: 'nowhere.onnx' }])).rejects.toThrow(
      /^ONNX Runtime does not open 'no file': .*nowhere\.onnx/,
    );
    const noise = { name: 'noise', onnx: Uint8Array.of(1, 2, 3) };
    await expect(timeOnnx([noise])).rejects.toThrow(BenchError);
  });

  it.each([
    ['not installed', undefined, /is not installed; npm install --ignore-scripts onnxruntime-node/],
    ['broken', "throw new Error('no GLIBC\\nat all')", /does not load: no GLIBC; install one/],
  ])('says that ONNX Runtime is %s', (_, runtime, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-onnx-'));
    try {
      const output = execFileSync(process.execPath, ['--input-type=module', '-e', attempt], {
        cwd: install(folder, runtime),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      expect(output).toMatch(/^OnnxRuntimeAbsentError true /);
      expect(output).toMatch(message);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const attempt = `
import { BenchError, timeOnnx } from '@sbp/bench';
const error = await timeOnnx([{ name: 'a', onnx: 'a.onnx' }]).catch((error) => error);
console.log(error.name, error instanceof BenchError, error.message);
`;

/** The built package in a project of its own, with its dependencies but with another ONNX Runtime, or none. */
function install(project: string, runtime: string | undefined): string {
  const here = fileURLToPath(new URL('..', import.meta.url));
  const modules = join(project, 'node_modules');
  cpSync(join(here, 'dist'), join(modules, '@sbp/bench/dist'), { recursive: true });
  cpSync(join(here, 'package.json'), join(modules, '@sbp/bench/package.json'));
  mkdirSync(join(modules, '@tensorflow'));
  for (const name of ['@sbp/engine', '@tensorflow/tfjs', 'echarts', 'markdown-table']) {
    symlinkSync(realpathSync(join(here, 'node_modules', name)), join(modules, name));
  }
  if (runtime !== undefined) {
    mkdirSync(join(modules, 'onnxruntime-node'));
    writeFileSync(join(modules, 'onnxruntime-node/index.js'), runtime);
  }
  return project;
}

describe('openOnnx', () => {
  it('computes what the model does', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 2, activation: 'sigmoid', inputShape: [3] })],
    });
    const onnx = await openOnnx({ name: 'dense', onnx: exportOnnx(model) });
    const x = tf.tensor2d([
      [1, -2, 3],
      [0.5, 0, 4],
    ]);
    const found = await onnx.predict(x.dataSync() as Float32Array, x.shape);
    const expected = (model.predict(x) as tf.Tensor).dataSync();
    expect(found).toHaveLength(4);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
    await onnx.release();
    expect(await onnxRuntimeVersion()).toMatch(/^1\.\d+\.\d+$/);
  });
});

describe('timeOnnxLayers', () => {
  it("tells a model's layers apart, whatever the runtime makes of their nodes", async () => {
    const rows = await timeOnnxLayers(
      [
        { name: 'wide', onnx: net(32, 500) },
        { name: 'narrow', onnx: net(3, 40) },
      ],
      { batchSize: 20, repeats: 21 },
    );
    const layers = ['conv_input', 'conv', 'pool', 'dense/1', 'logits', 'all'];
    expect(rows.map(({ name, layer }) => `${name} ${layer}`)).toEqual(
      ['wide', 'narrow'].flatMap((name) => layers.map((layer) => `${name} ${layer}`)),
    );
    const of = (name: string, layer: string) => rows.find((row) => row.name === name && row.layer === layer)!;
    expect(of('wide', 'all').speedup).toEqual({ median: 1, q1: 1, q3: 1 });
    expect(of('narrow', 'dense/1').speedup!.median).toBeGreaterThan(2);
    expect(of('narrow', 'all').speedup!.median).toBeGreaterThan(1.5);
    for (const layer of layers) {
      expect(of('wide', 'all').milliseconds.median).toBeGreaterThanOrEqual(
        of('wide', layer).milliseconds.median,
      );
    }
  });
});
