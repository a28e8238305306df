// What replicas gain: a network with noise, epochs on a part of its data, by number of replicas, taking turns.
// Usage: node dist/replicas.js [replicas, default 2] [engine, wasm] [rounds, 6] [network, lenet5; lenet-fc, or vgg: VGG-like ×0.25, batch norm] [steps an epoch, 30 or 5]
import { spread, table, timeSideBySide } from '@sbp/bench';
import { loadMnist, subset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { train } from '@sbp/train';
import { syntheticImages } from './job.js';
import { buildNetwork, type NetworkName, networks } from './networks.js';

/** Of an epoch. */
const BATCHES = { 'lenet-fc': 30, lenet5: 30, vgg: 5, resnet20: 5 };

const [count, engineName, rounds, name, steps] = process.argv.slice(2);
const replicas = Number(count ?? 2);
const { title, network, batch } = networks[(name ?? 'lenet5') as NetworkName];
const examples = batch * Number(steps ?? BATCHES[(name ?? 'lenet5') as NetworkName]);
const engine = await useEngine((engineName ?? 'wasm') as Parameters<typeof useEngine>[0]);
const all = /vgg|resnet/.test(network.net) ? syntheticImages(examples) : (await loadMnist()).train;
const data = { train: subset(all, examples), test: subset(all, 1) };
const rates: Record<number, number[]> = { 1: [], [replicas]: [] };

/** By the trainer's own clock, and past the first epoch, in which new workers' code is still being compiled. */
async function images(count: number): Promise<void> {
  const model = buildNetwork(network, { klWeight: 'macs', klScale: 2 });
  const history = await train(model, data, { epochs: 3, batchSize: batch, replicas: count });
  rates[count]?.push(...history.slice(1).map((epoch) => epoch.imagesPerSecond));
  model.dispose();
}

console.log(
  `${title}, ${engine.name} ${engine.version}, ${engine.device}, batch ${batch}, ${examples} images a sample`,
);
await timeSideBySide(
  { one: () => images(1), several: () => images(replicas) },
  { repeats: Number(rounds ?? 6), minSeconds: 0.001, warmUpRounds: 0 },
);
const speedups = (rates[replicas] as number[]).map((rate, i) => rate / (rates[1]?.[i] as number));
const rows = Object.entries(rates).map(([count, values]) => ({
  replicas: count,
  'images/s (quartiles)': spread(values),
  'speed-up (quartiles)': count === '1' ? 1 : spread(speedups),
}));
console.log(`\n${table(rows)}`);
