import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { useEngine } from './engine.js';
import { EngineError } from './engine-error.js';

describe('useEngine', () => {
  const emptyHome = mkdtempSync(join(tmpdir(), 'sbp-home-'));
  // Where an installed TensorFlow would be found.
  const withoutTensorflow = () => {
    for (const name of ['HOME', 'XDG_CACHE_HOME', 'LOCALAPPDATA']) vi.stubEnv(name, emptyHome);
  };
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.doUnmock('@tensorflow/tfjs-backend-wasm');
    vi.restoreAllMocks();
    rmSync(emptyHome, { recursive: true, force: true });
  });

  it.each(['wasm', 'cpu'] as const)('makes %s current and describes it', async (name) => {
    const engine = await useEngine(name);
    expect(engine).toMatchObject({ name, device: 'CPU', version: expect.stringMatching(/^4\.\d+\.\d+$/) });
    expect(engine.tf).toBe(tf);
    expect(tf.getBackend()).toBe(name);
  });

  it("'auto' takes wasm, without a word, where TensorFlow is not installed", async () => {
    withoutTensorflow();
    const warn = vi.spyOn(console, 'warn');
    expect(await useEngine()).toMatchObject({ name: 'wasm' });
    expect(warn).not.toHaveBeenCalled();
  });

  it("'auto' ends at cpu with a loud warning where wasm doesn't load either", async () => {
    withoutTensorflow();
    vi.doMock('@tensorflow/tfjs-backend-wasm', () => ({
      get version_wasm(): string {
        throw new Error('no WebAssembly here');
      },
    }));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(await useEngine('auto')).toMatchObject({ name: 'cpu' });
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^WARNING: .*cpu.*no WebAssembly here/s));
  });

  it.each([
    ['tensorflow', /sbp engine install tensorflow/],
    ['webgpu', /import '@tensorflow\/tfjs-backend-webgpu' first/],
    ['wsam', /There is no engine 'wsam'; there are 'auto', 'tensorflow', 'wasm', 'webgpu' and 'cpu'/],
  ])('asked for %s, which cannot be had, says why in one line and what to do', async (name, message) => {
    withoutTensorflow();
    const error = await useEngine(name as 'wasm').then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      name: 'EngineError',
      engine: name,
      message: expect.stringMatching(message),
    });
    expect((error as Error).message).not.toContain('\n');
  });

  it('works in a worker thread, gradients included', async () => {
    const source = `
      import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}).then(async ({ useEngine }) => {
        const { tf } = await useEngine('wasm');
        const x = tf.range(0, 2 * 5 * 5 * 3).reshape([2, 5, 5, 3]);
        const dw = tf.grad((w) => tf.conv2d(x, w, 1, 'valid'))(tf.ones([3, 3, 3, 4]));
        require('node:worker_threads').parentPort.postMessage({ backend: tf.getBackend(), dw: [...dw.dataSync()] });
      });`;
    const worker = new Worker(source, { eval: true });
    const { backend, dw } = await new Promise<{ backend: string; dw: number[] }>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
    });
    await worker.terminate();
    expect(backend).toBe('wasm');
    // Tap (0, 0) of channel 0 sees every third number of the images' upper left 3 × 3 pixels.
    const seen = [0, 75].flatMap((image) =>
      [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => image + (i * 5 + j) * 3)),
    );
    expect(dw[0]).toBe(seen.reduce((sum, value) => sum + value));
    expect(dw).toHaveLength(3 * 3 * 3 * 4);
  });
});
