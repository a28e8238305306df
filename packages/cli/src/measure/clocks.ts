import {
  type LayerTiming,
  type ModelTiming,
  timeModelLayers,
  timeModels,
  timeOnnx,
  timeOnnxLayers,
} from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { exportOnnx } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import type { Runtime } from './figures.js';

/** What tells how long a model's inference takes on some runtime, in milliseconds of a call. */
export interface Clock {
  /**
   * @param beside a model whose time is known: both take turns, and what counts is their ratio, as machines are slower at one time than at another
   */
  time(model: tf.LayersModel, beside?: Known): Promise<number>;
  /** The same by layer, those that the runtime computes. */
  byLayer(model: tf.LayersModel): Promise<ReadonlyMap<string, number>>;
}

/** A model whose time is known. */
export interface Known {
  model: tf.LayersModel;
  milliseconds: number;
}

/** Rounds of a timing, and the least that each takes: short and many, for a machine that does other things, too. */
const ROUNDS = { repeats: 80, minSeconds: 0.002 };

/** @param batchSize examples in a call */
export function clockOf(runtime: Runtime, batchSize: number): Clock {
  return runtime === 'onnxruntime' ? onnxClock(batchSize) : engineClock(runtime, batchSize);
}

function onnxClock(batchSize: number): Clock {
  const entry = (model: tf.LayersModel, name = 'model') => ({ name, onnx: exportOnnx(model) });
  return {
    time: async (model, beside) =>
      timeOf(
        await timeOnnx([...(beside ? [entry(beside.model, 'beside')] : []), entry(model)], {
          ...{ batchSizes: [batchSize], ...ROUNDS },
        }),
        beside,
      ),
    byLayer: async (model) => byLayers(await timeOnnxLayers([entry(model)], { batchSize })),
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
    time: (model, beside) =>
      on(async () =>
        timeOf(
          await timeModels(
            [...(beside ? [{ name: 'beside', model: beside.model }] : []), { name: 'model', model }],
            { batchSizes: [batchSize], ...ROUNDS },
          ),
          beside,
        ),
      ),
    byLayer: (model) => on(() => byLayers(timeModelLayers(model, { batchSize }))),
  };
}

/** Of the last, by its ratio to what it was timed beside. */
function timeOf(timings: readonly ModelTiming[], beside: Known | undefined): number {
  const own = undisturbed(timings.at(-1)!);
  return beside ? (beside.milliseconds * own) / undisturbed(timings[0]!) : own;
}

/** What else a machine does only ever adds to a time: the lower quartile is the same on a busy one, where the median is not. */
const undisturbed = ({ milliseconds }: Pick<ModelTiming, 'milliseconds'>) => milliseconds.q1;

const byLayers = (timings: readonly LayerTiming[]) =>
  new Map(
    timings.filter(({ layer }) => layer !== 'all').map(({ layer, milliseconds }) => [layer, milliseconds.q1]),
  );
