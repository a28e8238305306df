import { countedLayer, type OnnxEntry, timeOnnxLayers } from '@sbp/bench';
import { countFlops } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';

/** Where the time of a call goes. */
export interface TimeShares {
  /** Of the call, before any layer with multiply-accumulates, or in no layer at all: what no cut takes away. */
  rest: number;
  /** Layers that have multiply-accumulates, with their part of the call's time and of all multiply-accumulates. */
  layers: { layer: string; time: number; macs: number }[];
  /** The layers' own time under equal rates that has to be moved to where it is, 0 to 1: 0 where time is in proportion to multiply-accumulates. */
  apart: number;
}

/**
 * By ONNX Runtime's profiler.
 *
 * @param call milliseconds of a call that nobody watched
 */
export async function timeShares(
  model: tf.LayersModel,
  { entry, batchSize, call }: { entry: OnnxEntry; batchSize: number; call: number },
): Promise<TimeShares> {
  const timings = await timeOnnxLayers([entry], { batchSize });
  const times = new Map(timings.map(({ layer, milliseconds }) => [layer, milliseconds.q1]));
  const watched = timings.reduce((sum, each) => sum + (each.layer === 'all' ? 0 : each.milliseconds.q1), 0);
  // who is watched takes longer
  const scale = Math.min(1, call / watched);
  const counted = countFlops(model).layers.filter(({ macs }) => macs > 0);
  const total = counted.reduce((sum, { macs }) => sum + macs, 0);
  const ownerOf = countedLayer(model, new Set(counted.map(({ name }) => name)));
  const own = (layer: string) =>
    [...times].reduce((sum, [name, time]) => sum + (ownerOf(name) === layer ? time : 0), 0);
  const layers = counted.map(({ name, macs }) => ({
    layer: name,
    time: (scale * own(name)) / call,
    macs: macs / total,
  }));
  const known = layers.reduce((sum, { time }) => sum + time, 0);
  const apart = layers.reduce((sum, { time, macs }) => sum + Math.abs(time / known - macs), 0) / 2;
  return { rest: Math.max(0, 1 - known), layers, apart };
}
