// What replicas gain: LeNet-5 with noise, epochs on a part of MNIST, by number of replicas, taking turns.
// Usage: node dist/replicas.js [replicas, default 2] [engine, wasm] [rounds, 6]
import { spread, table, timeSideBySide } from '@sbp/bench';
import { loadMnist, subset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { leNet5 } from '@sbp/layers';
import { train } from '@sbp/train';

const EXAMPLES = 3840;
const replicas = Number(process.argv[2] ?? 2);
const engine = await useEngine((process.argv[3] ?? 'wasm') as Parameters<typeof useEngine>[0]);
const { train: all, test } = await loadMnist();
const data = { train: subset(all, EXAMPLES), test: subset(test, 1) };
const rates: Record<number, number[]> = { 1: [], [replicas]: [] };

/** By the trainer's own clock, and past the first epoch, in which new workers' code is still being compiled. */
async function images(count: number): Promise<void> {
  const model = leNet5({ noise: { klWeight: 'macs', klScale: 2 } });
  const history = await train(model, data, { epochs: 3, replicas: count });
  rates[count]?.push(...history.slice(1).map((epoch) => epoch.imagesPerSecond));
  model.dispose();
}

console.log(`${engine.name} ${engine.version}, ${engine.device}, batch 128, ${EXAMPLES} images a sample`);
await timeSideBySide(
  { one: () => images(1), several: () => images(replicas) },
  { repeats: Number(process.argv[4] ?? 6), minSeconds: 0.001, warmUpRounds: 0 },
);
const speedups = (rates[replicas] as number[]).map((rate, i) => rate / (rates[1]?.[i] as number));
const rows = Object.entries(rates).map(([count, values]) => ({
  replicas: count,
  'images/s (quartiles)': spread(values),
  'speed-up (quartiles)': count === '1' ? 1 : spread(speedups),
}));
console.log(`\n${table(rows)}`);
