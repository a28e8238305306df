import * as tf from '@tensorflow/tfjs';
import { BenchError } from './errors.js';
import { inputsOf } from './models.js';
import type { LayerTiming, OnnxLayerOptions } from './onnx-layers.js';
import { spread } from './spread.js';

const warmUps = 3;

/**
 * Where a model's inference on the current tfjs backend spends its time, layer by layer, by the names that `countFlops` has for them, those of nested models by their path. For backends that compute
 * while they are called: cpu, wasm and tensorflow.
 *
 * @returns layers in the order in which they run, and 'all' behind them: the whole call, with what it takes besides
 * @throws BenchError for inputs of open sizes, and on a backend that computes later
 */
export function timeModelLayers(
  model: tf.LayersModel,
  { batchSize = 100, repeats = 20 }: OnnxLayerOptions = {},
): LayerTiming[] {
  const backend = tf.getBackend();
  if (backend.startsWith('webg'))
    throw new BenchError(
      `timeModelLayers: ${backend} computes after a layer's call; time whole models there`,
    );
  const inputs = inputsOf({ name: model.name, model }, batchSize, undefined, undefined);
  const rounds: Map<string, number>[] = [];
  const add = (layer: string, time: number) => {
    const round = rounds.at(-1)!;
    round.set(layer, (round.get(layer) ?? 0) + time);
  };
  const watched = watch(model, '', add);
  try {
    for (let round = -warmUps; round < repeats; round++) {
      rounds.push(new Map());
      const began = performance.now();
      tf.tidy(() => {
        for (const output of [model.apply(inputs) as tf.Tensor | tf.Tensor[]].flat()) output.dataSync();
      });
      add('all', performance.now() - began);
    }
  } finally {
    for (const layer of watched) Reflect.deleteProperty(layer, 'call');
    tf.dispose(inputs);
  }
  const measured = rounds.slice(warmUps);
  return [...measured[0]!.keys()].map((layer) => ({
    ...{ name: model.name, layer },
    milliseconds: spread(measured.map((round) => round.get(layer) ?? 0)),
  }));
}

/** Has each layer's call timed, until the property that stands before its class's method is deleted. */
function watch(
  { layers }: tf.LayersModel,
  path: string,
  add: (layer: string, time: number) => void,
): tf.layers.Layer[] {
  return layers.flatMap((layer) => {
    if (layer instanceof tf.LayersModel) return watch(layer, `${path}${layer.name}/`, add);
    const call = layer.call.bind(layer);
    layer.call = (...given) => {
      const began = performance.now();
      const output = call(...given);
      add(`${path}${layer.name}`, performance.now() - began);
      return output;
    };
    return [layer];
  });
}
