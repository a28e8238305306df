// Several replicas, in threads and in processes: what one replica gives, and what is left when one of them dies.
import { execFileSync } from 'node:child_process';
import { labelledImages } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { vggLike } from '@sbp/layers';
import { philox } from '@sbp/math';
// the built package: worker threads and processes run JavaScript
import { type TrainConfig, TrainError, type TrainHooks, type TrainState, train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { SharedRun } from '../run/shared-run.js';
import { copyOf, halves, smallNet } from '../testing.js';
import { cudaDevices } from './processes/cuda.js';
import type { Team } from './team.js';

type Processes = {
  startProcesses(model: tf.LayersModel, run: SharedRun, backend: string, device: string): Promise<Team>;
};
const built = (file: string) => import(new URL(`../../dist/${file}`, import.meta.url).href);
const { startProcesses } = (await built('replicas/processes/processes.js')) as Processes;
const { trainOn } = (await built('train.js')) as Pick<typeof import('../train.js'), 'trainOn'>;

/** {@link train} with its replicas in processes, as on GPUs, but on this machine's CPU. */
const trainInProcesses: typeof train = (model, data, config = {}, hooks = {}) =>
  trainOn((copy, run) => startProcesses(copy, run, tf.getBackend(), 'CPU'), model, data, config, hooks);

const noTensorflow = await useEngine('tensorflow').then(
  () => '',
  (error: Error) => ` (skipped: ${error.message})`,
);

afterEach(() => tf.disposeVariables());

const weightsOf = (model: tf.LayersModel) => model.getWeights().flatMap((w) => [...w.dataSync()]);
const distance = (a: number[], b: number[]) => Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));

/** Colours and classes at random. */
const pictures = labelledImages({
  name: 'pictures',
  images: Uint8Array.from(philox(3, 1).uniforms(0, new Float32Array(20 * 3072)), (u) => 256 * u),
  labels: Uint8Array.from({ length: 20 }, (_, i) => i % 10),
  shape: [32, 32, 3],
  classes: 10,
});
const data = { train: halves(101), test: halves(50) };

describe('replicas', () => {
  async function trained(
    make: () => tf.LayersModel,
    on: { train: typeof data.train; test: typeof data.test },
    config: TrainConfig,
    how = train,
  ) {
    const model = make();
    const [metrics] = await how(model, on, { epochs: 1, seed: 5, ...config });
    return { weights: weightsOf(model), metrics };
  }

  // 20 images in batches of 6: parts of 1 and 2, and a last batch of 2, which leaves some replicas without an example
  it.each([2, 4])(
    '%i give a VGG-like network with batch norm the weights that 1 gives, within 1e-4',
    async (n) => {
      await useEngine('wasm');
      const on = { train: pictures, test: pictures };
      const run = (replicas: number) =>
        trained(() => vggLike({ scale: 1 / 16, noise: { logSigmaInit: -2 } }), on, {
          batchSize: 6,
          replicas,
        });
      const [one, several] = [await run(1), await run(n)];
      expect(one.weights.length).toBeGreaterThan(60_000);
      expect(distance(one.weights, several.weights)).toBeLessThan(1e-4);
      expect(several.metrics?.loss).toBeCloseTo(one.metrics?.loss as number, 5);
      expect(several.metrics?.trainError).toBe(one.metrics?.trainError);
    },
  );

  it('3 give what 1 gives on cpu, within 1e-4', async () => {
    await useEngine('cpu');
    const one = await trained(smallNet, data, { batchSize: 10, replicas: 1 });
    const three = await trained(smallNet, data, { batchSize: 10, replicas: 3 });
    expect(distance(one.weights, three.weights)).toBeLessThan(1e-4);
    expect(three.metrics?.loss).toBeCloseTo(one.metrics?.loss as number, 4);
    expect(three.metrics?.error).toBe(one.metrics?.error);
  });

  it.skipIf(noTensorflow).each([true, false])(
    `2 give what 1 gives on tensorflow, within 1e-4; batch norm: %s${noTensorflow}`,
    async (batchNorm) => {
      await useEngine('tensorflow');
      const make = () => smallNet(batchNorm);
      const one = await trained(make, data, { batchSize: 10, replicas: 1 });
      const two = await trained(make, data, { batchSize: 10, replicas: 2 });
      expect(distance(one.weights, two.weights)).toBeLessThan(1e-4);
      expect(two.metrics?.loss).toBeCloseTo(one.metrics?.loss as number, 4);
    },
  );

  it('in processes give the bits that those in threads give, and within 1e-4 what 1 gives', async () => {
    await useEngine('wasm');
    // with all that replicas have to agree on
    const config: TrainConfig = {
      ...{ batchSize: 10, replicas: 2, optimizer: 'sgd', learningRate: 0.05 },
      ...{ clipNorm: 0.3, weightDecay: 0.1, ema: 0.9 },
    };
    const one = await trained(smallNet, data, { ...config, replicas: 1 });
    const threads = await trained(smallNet, data, config);
    expect(distance(one.weights, threads.weights)).toBeLessThan(1e-4);
    const others = await trained(smallNet, data, { ...config, replicas: 1, clipNorm: undefined });
    expect(distance(one.weights, others.weights)).toBeGreaterThan(1e-2);
    const processes = await trained(smallNet, data, config, trainInProcesses);
    expect(processes.weights).toEqual(threads.weights);
    const figures = { seconds: 0, imagesPerSecond: 0 };
    expect({ ...processes.metrics, ...figures }).toEqual({ ...threads.metrics, ...figures });
  });

  it('keep weights that are not trained as they are, to the bit', async () => {
    await useEngine('cpu');
    const model = smallNet(false);
    const frozen = model.getLayer('c');
    frozen.trainable = false;
    const before = frozen.getWeights().map((weight) => weight.dataSync().slice());
    await train(model, data, { epochs: 1, batchSize: 10, replicas: 3 });
    expect(frozen.getWeights().map((weight) => weight.dataSync())).toEqual(before);
  });

  it('refuse batch norm over another axis, and name the layer', async () => {
    await useEngine('cpu');
    const model = tf.sequential({
      layers: [
        tf.layers.batchNormalization({ inputShape: [8, 8, 1], axis: 1, name: 'rows' }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    await expect(train(model, data, { replicas: 2 })).rejects.toThrow(
      /^replicas: rows is batch norm over axis 1; .+ set replicas to 1\.$/,
    );
  });
});

describe('a replica that dies', () => {
  const config: TrainConfig = { epochs: 2, batchSize: 10, seed: 5, replicas: 2 };
  let whole: number[] | undefined;

  /** Trains until `kill` has had its way after the first epoch; then goes on from the last state. */
  async function diesAndGoesOn(how: typeof train, kill: () => void) {
    let saved: TrainState | undefined;
    const hooks: TrainHooks = {
      onEpoch(_, state) {
        saved = copyOf(state);
        kill();
      },
    };
    const end = await how(smallNet(), data, config, hooks).catch((error) => error);
    const resumed = smallNet();
    await train(resumed, data, config, { resume: saved });
    if (!whole) {
      const model = smallNet();
      await train(model, data, config);
      whole = weightsOf(model);
    }
    expect(saved?.epoch).toBe(1);
    expect(weightsOf(resumed)).toEqual(whole);
    return end;
  }

  it('in a thread ends the run with its reason, and the run goes on from its last state', async () => {
    await useEngine('wasm');
    const workers: import('node:worker_threads').Worker[] = [];
    const watch = (worker: import('node:worker_threads').Worker) => workers.push(worker);
    process.on('worker', watch);
    const end = await diesAndGoesOn(train, () => void workers[1]?.terminate());
    process.off('worker', watch);
    expect(end.message).toBe('replica 2 died: its thread ended with code 1');
    expect(end.code).toBe('replica-died');
  });

  it('in a process, killed with -9, does so too, and leaves no process behind', async () => {
    await useEngine('wasm');
    const ours = () =>
      execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.includes('replica-process.js'))
        .map((line) => line.trim().split(/\s+/))
        .flatMap(([pid, parent]) => (parent === String(process.pid) ? [Number(pid)] : []));
    const end = await diesAndGoesOn(trainInProcesses, () => process.kill(ours()[0] as number, 'SIGKILL'));
    expect(end.message).toBe(
      'replica 1 died: its process was killed (SIGKILL), by hand or for want of memory',
    );
    expect(ours()).toEqual([]);
  });

  it.each([
    ['thread', train],
    ['process', trainInProcesses],
  ])('of an error in its %s says which', async (_, how) => {
    await useEngine('wasm');
    const inputs = data.train.inputs.map((input) => ({ ...input, values: undefined as never }));
    await expect(how(smallNet(), { ...data, train: { ...data.train, inputs } }, config)).rejects.toThrow(
      /^replica \d died: \S.+/,
    );
  });
});

describe('replicas on GPUs', () => {
  it('take the visible devices in their order', () => {
    expect(cudaDevices(3, undefined)).toEqual(['0', '1', '2']);
    expect(cudaDevices(2, '3, GPU-8932f937,5')).toEqual(['3', 'GPU-8932f937']);
    expect(() => cudaDevices(3, '0,1')).toThrow(
      new TrainError(
        'replicas: 3, but CUDA_VISIBLE_DEVICES=0,1 names 2; each replica takes a GPU of its own: lower replicas, or make more visible.',
      ),
    );
  });

  it('see one device each, and say so where there is none', async () => {
    await useEngine('wasm');
    const before = process.env.CUDA_VISIBLE_DEVICES;
    process.env.CUDA_VISIBLE_DEVICES = '6,7';
    const onGpus: typeof train = (model, on, config = {}, hooks = {}) =>
      trainOn((copy, run) => startProcesses(copy, run, 'wasm', 'GPU'), model, on, config, hooks);
    const end = await onGpus(smallNet(), data, { replicas: 2 }).catch((error) => error);
    if (before === undefined) delete process.env.CUDA_VISIBLE_DEVICES;
    else process.env.CUDA_VISIBLE_DEVICES = before;
    const [, replica, device] =
      /^replica (\d) died: there is no GPU at CUDA_VISIBLE_DEVICES=(\d);/.exec(end.message) ?? [];
    expect(Number(device)).toBe(5 + Number(replica));
  });
});
