// What preparing images costs: the VGG-like network × 0.25 at batch 100 on augmented images; the share of a step that it waits for them,
// with a thread that makes them ahead, and where there are none, as in browsers. Then what one thread makes in a second.
// Usage: node dist/augment.js [engine, auto] [steps an epoch, 30] [rounds, 3]
import { spread, table } from '@sbp/bench';
import { batchArrays, type Dataset, labelledImages, prepared, readBatch, subset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { vggLike } from '@sbp/layers';
import { philox } from '@sbp/math';
import { train } from '@sbp/train';

const BATCH = 100;
const [steps, rounds] = [Number(process.argv[3] ?? 30), Number(process.argv[4] ?? 3)];
const engine = await useEngine((process.argv[2] ?? 'auto') as Parameters<typeof useEngine>[0]);
const size = steps * BATCH;

/** Noise in the place of photographs: what is done to a pixel doesn't depend on its value. */
const noise = philox(1, 0).uniforms(0, new Float32Array(size * 3072));
const plain = labelledImages({
  name: 'noise',
  images: Uint8Array.from(noise, (u) => 256 * u),
  labels: Uint8Array.from({ length: size }, (_, i) => i % 10),
  shape: [32, 32, 3],
  classes: 10,
});
const images = prepared(plain, { normalize: 'standardize', augment: ['cifar10'] });

interface Waits {
  shares: number[];
  rates: number[];
}

/** One epoch past the first, in which graphs are made and a new thread's code is compiled. */
async function measure({ shares, rates }: Waits): Promise<void> {
  const model = vggLike({ scale: 0.25 });
  const data = { train: images, test: subset(images, 1) };
  const history = await train(model, data, { epochs: 2, batchSize: BATCH, replicas: 1 });
  const { dataShare, imagesPerSecond } = history[1] as (typeof history)[number];
  shares.push(100 * (dataShare as number));
  rates.push(imagesPerSecond);
  model.dispose();
}

async function withoutThreads(body: () => Promise<void>): Promise<void> {
  const { getBuiltinModule } = process;
  const without = (name: string) => (name === 'node:worker_threads' ? undefined : getBuiltinModule(name));
  Object.assign(process, { getBuiltinModule: without });
  await body().finally(() => Object.assign(process, { getBuiltinModule }));
}

/** Images that one thread prepares in a second, of CPU time: other programs may keep it waiting. */
function preparedPerSecond(dataset: Dataset): number {
  const into = batchArrays(dataset, BATCH);
  const all = Uint32Array.from({ length: size }, (_, i) => i);
  const began = process.cpuUsage();
  let made = 0;
  do {
    for (let at = 0; at < size; at += BATCH, made += BATCH)
      readBatch(dataset, all.subarray(at, at + BATCH), into, { seed: 1, epoch: made });
  } while (made < 10 * BATCH || process.cpuUsage(began).user < 5e5);
  return (1e6 * made) / process.cpuUsage(began).user;
}

console.log(`${engine.name} ${engine.version}, ${engine.device}, batch ${BATCH}, ${steps} steps a sample`);
const waits: Record<string, Waits> = {
  'a thread, ahead': { shares: [], rates: [] },
  'the step itself': { shares: [], rates: [] },
};
const [ahead, itself] = Object.values(waits) as [Waits, Waits];
for (let round = 0; round < rounds; round++) {
  await measure(ahead);
  await withoutThreads(() => measure(itself));
}
const rows = Object.entries(waits).map(([who, { shares, rates }]) => ({
  'images are prepared by': who,
  'wait, % of a step (quartiles)': spread(shares),
  'images/s (quartiles)': spread(rates),
}));
console.log(`\n${table(rows)}`);
const preparations = {
  'none: / 255': plain,
  standardize: prepared(plain, { normalize: 'standardize' }),
  'standardize, cifar10': images,
  'flip, crop, color, cutout': prepared(plain, { augment: ['flip', 'crop', 'color', 'cutout'] }),
};
const speeds = Object.entries(preparations).map(([prepare, dataset]) => ({
  prepare,
  'images/s of one thread': Math.round(preparedPerSecond(dataset)),
}));
console.log(`\n${table(speeds)}`);
