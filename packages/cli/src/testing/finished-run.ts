import { mkdirSync } from 'node:fs';
import { saveModel } from '@sbp/model';
import { paperNets } from '../config/paper-nets.js';
import { type RunConfigInput, runConfigSchema } from '../config/run-config.js';
import { buildNet } from '../run/model/nets.js';
import { runPaths, writeJson } from '../run/run-folder.js';

const groups = { input_noise: 784, dense1: 500, dense2: 300 };
const kept = { input_noise: 210, dense1: 84, dense2: 56 };

/** What a run leaves, without running it: LeNet-fc with noise, untrained, and a result of made-up figures. */
export async function finishedRun(folder: string, given: Partial<RunConfigInput> = {}): Promise<void> {
  const config = runConfigSchema.parse({ name: 'made-up', model: 'lenet-fc', ...given });
  const paths = runPaths(folder);
  mkdirSync(folder, { recursive: true });
  writeJson(paths.config, config);
  writeJson(paths.result, resultOf(config));
  if (config.method !== 'structured-bp') return;
  const model = buildNet(paperNets['lenet-fc'], config, 1000);
  await saveModel(model, paths.trained);
  model.dispose();
}

function resultOf(config: ReturnType<typeof runConfigSchema.parse>) {
  const original = config.method === 'original';
  const speedup = (median: number) => ({
    runtime: 'wasm',
    device: 'CPU',
    batchSize: 100,
    speedup: { median, q1: 0.9 * median, q3: 1.1 * median },
  });
  const row = { widths: '784-500-300', parameters: 545_810, macs: 545_000, reduction: 1, zeroRowMacs: 0 };
  const first = { ...row, method: 'Original', error: original ? 1.4 : null, bytes: 2_185_000 };
  const pruned = { method: 'Small', error: 1.81, widths: '210-84-56', parameters: 71_270, macs: 71_120 };
  return {
    config,
    version: '1.2.3',
    environment: { node: 'v20.20.2', platform: 'linux x64', cpu: 'A CPU', cores: 2, tfjs: '4.22.0' },
    engine: { name: 'wasm', version: '4.22.0', device: 'CPU' },
    replicas: 1,
    rows: [
      { ...first, speedups: [speedup(1)] },
      ...(original
        ? []
        : [{ ...pruned, reduction: 7.66, zeroRowMacs: 48_216, bytes: 288_000, speedups: [speedup(4)] }]),
    ],
    ...(!original && {
      report: {
        layers: Object.entries(groups).map(([name, all]) => ({
          name,
          groups: all,
          kept: kept[name as keyof typeof kept],
          notes: name === 'input_noise' ? ['574 groups at 0 are still read'] : [],
        })),
      },
      agreement: { examples: 10_000, maxDifference: 7.2e-7, otherPredictions: 0 },
    }),
    runtimes: ['wasm 4.22.0 (CPU)'],
    history: [1, 2, 3].map((epoch) => ({
      epoch,
      loss: 0.3 / epoch,
      kl: original ? 0 : 2 / epoch,
      trainError: 9 / epoch,
      error: 5.43 / epoch,
      kept: original ? {} : epoch === 3 ? kept : groups,
      total: original ? {} : groups,
      seconds: 8,
    })),
  };
}
