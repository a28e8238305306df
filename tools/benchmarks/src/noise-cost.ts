// What noise costs: whole training steps (batch, forward, backward, Adam) of one network with and without it, side by side.
// Usage: node dist/noise-cost.js [engine, default auto] [batch size, 128] [rounds, 20]
import { table, timeSideBySide, timingColumns } from '@sbp/bench';
import { loadMnist, shuffledIndices } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { leNet5, leNetFc, type NetOptions } from '@sbp/layers';
import { Replica, resolveTrainConfig, sharedRun } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';

const engine = await useEngine((process.argv[2] ?? 'auto') as Parameters<typeof useEngine>[0]);
const batchSize = Number(process.argv[3] ?? 128);
const repeats = Number(process.argv[4] ?? 20);
const data = await loadMnist();
const order = shuffledIndices(data.train.size, 0, 0);

/** Takes training steps on the same batches, one a call. */
function stepper(model: tf.LayersModel): () => void {
  const config = resolveTrainConfig({ batchSize, replicas: 1 });
  const run = sharedRun(model, data, config, 1);
  const replica = new Replica(model, run, 0);
  let step = 0;
  return () => {
    const at = (step * batchSize) % (order.length - batchSize);
    replica.trainStep(order.subarray(at, at + batchSize), step++);
  };
}

console.log(`${engine.name} ${engine.version}, ${engine.device}, batch ${batchSize}`);
const nets: Record<string, (options: NetOptions) => tf.LayersModel> = {
  'LeNet-5': leNet5,
  'LeNet-fc': leNetFc,
};
for (const [name, net] of Object.entries(nets)) {
  const noise = { klWeight: 'macs', klScale: 2 } as const;
  const timings = await timeSideBySide(
    { [`${name} plain`]: stepper(net({ noise: false })), [`${name} noisy`]: stepper(net({ noise })) },
    { repeats, minSeconds: 0.3 },
  );
  console.log(`\n${table(timings, timingColumns)}`);
}
