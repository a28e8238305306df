import { type LayerTiming, timeModelLayers, timeModels, timeOnnx, timeOnnxLayers } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { exportOnnx } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import type { Runtime } from './figures.js';

/** What tells how long a model's inference takes on some runtime, in milliseconds of a call. */
export interface Clock {
  time(model: tf.LayersModel): Promise<number>;
  /** The same by layer, those that the runtime computes. */
  byLayer(model: tf.LayersModel): Promise<ReadonlyMap<string, number>>;
}

/** Rounds of a timing, and the least that each takes: short and many, for a machine that does other things, too. */
const ROUNDS = { repeats: 60, minSeconds: 0.005 };

/** @param batchSize examples in a call */
export function clockOf(runtime: Runtime, batchSize: number): Clock {
  return runtime === 'onnxruntime' ? onnxClock(batchSize) : engineClock(runtime, batchSize);
}

function onnxClock(batchSize: number): Clock {
  const entry = (model: tf.LayersModel) => [{ name: 'model', onnx: exportOnnx(model) }];
  return {
    time: async (model) => median(await timeOnnx(entry(model), { batchSizes: [batchSize], ...ROUNDS })),
    byLayer: async (model) => medians(await timeOnnxLayers(entry(model), { batchSize })),
  };
}

/** On a tfjs engine, after which the one that was there before is the current one again. */
function engineClock(name: Exclude<Runtime, 'onnxruntime'>, batchSize: number): Clock {
  const on = async <T>(body: () => T | Promise<T>): Promise<T> => {
    const before = tf.getBackend();
    await useEngine(name);
    try {
      return await body();
    } finally {
      await tf.setBackend(before);
    }
  };
  return {
    time: (model) =>
      on(async () =>
        median(await timeModels([{ name: 'model', model }], { batchSizes: [batchSize], ...ROUNDS })),
      ),
    byLayer: (model) => on(() => medians(timeModelLayers(model, { batchSize }))),
  };
}

const median = (timings: readonly { milliseconds: { median: number } }[]) => timings[0]!.milliseconds.median;

const medians = (timings: readonly LayerTiming[]) =>
  new Map(
    timings
      .filter(({ layer }) => layer !== 'all')
      .map(({ layer, milliseconds }) => [layer, milliseconds.median]),
  );
