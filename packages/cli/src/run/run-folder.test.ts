import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runConfigSchema } from '../config/run-config.js';
import { emptyFolder } from '../testing/process.js';
import { checkRunFolder, readConfig, runPaths, writeJson } from './run-folder.js';

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** A config as a run wrote it that was begun before models and data could be any. */
const older = {
  name: 'sbp-0',
  net: 'lenet5',
  method: 'structured-bp',
  dropout: false,
  freezeBatchNorm: false,
  from: 'original',
  data: { set: 'mnist', labels: 'true', augment: false },
  noise: { klWeight: 1, klScale: 1, logSigmaInit: -5, threshold: 1 },
  sparseVd: { klScale: 1, logSigma2Init: -10, threshold: 3 },
  groupLasso: { filters: 0.0001, channels: 0.0001, threshold: 0.00001 },
  train: { epochs: 20, batchSize: 128, learningRate: 0.001, noiseRate: 1, decayFrom: 0.5, beta1: 0.95 },
  engine: 'auto',
  bench: { batchSizes: [1, 100], repeats: 12, runtimes: ['onnxruntime', 'wasm'] },
  budget: 'full',
};
const now = (more: object = {}) =>
  runConfigSchema.parse({
    ...{ name: 'sbp-0', model: 'lenet5', from: 'original', noise: { klWeight: 1, logSigmaInit: -5 } },
    train: { epochs: 20, noiseRate: 1 },
    ...more,
  });

it('goes on with a run that was begun when fields had older names, if it is the same', () => {
  const paths = runPaths(join(folder, 'sbp-0'));
  mkdirSync(paths.folder);
  writeJson(paths.config, older);
  expect(readConfig(paths.config)).toMatchObject({ model: 'lenet5', data: { source: 'mnist' } });
  expect(readConfig(paths.config)).not.toHaveProperty('net');
  expect(checkRunFolder(paths, now())).toBe(false);
  expect(() => checkRunFolder(paths, now({ model: 'lenet-fc' }))).toThrow(
    /holds a run with another model: "lenet5" there, "lenet-fc" now; give this one another --name/,
  );
  expect(() => checkRunFolder(paths, now({ data: { source: 'digits', normalize: '0..1' } }))).toThrow(
    /another data\.source: "mnist" there, "digits" now/,
  );
});
