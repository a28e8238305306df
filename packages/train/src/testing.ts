// What the trainer's tests train, and on what.
import { type Dataset, labelledImages } from '@sbp/data';
import { logNormalDropout, noisyConv2d, noisyDense } from '@sbp/layers';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { type Objective, objectiveOf } from './objective/objective.js';
import type { TrainState } from './run/state.js';
import type { StepBatch } from './step/step.js';

/** Images of two classes told apart by the brighter half; the noise is from a seed. */
export function halves(size: number, side = 8): Dataset {
  const images = new Uint8Array(new SharedArrayBuffer(size * side * side));
  const labels = new Uint8Array(new SharedArrayBuffer(size));
  const u = philox(1, 2).uniforms(0, new Float32Array(size * (side * side + 1)));
  for (let i = 0; i < size; i++) {
    const label = (u[i] as number) < 0.5 ? 0 : 1;
    labels[i] = label;
    for (let p = 0; p < side * side; p++) {
      const lit = p % side < side / 2 === (label === 0);
      images[i * side * side + p] = 255 * (0.6 * (u[size + i * side * side + p] as number) + (lit ? 0.4 : 0));
    }
  }
  return labelledImages({ name: 'halves', images, labels, shape: [side, side, 1], classes: 2 });
}

/** A network with noise on channels, on inputs of a dense layer and on units, and with every kind of weight. */
export function smallNet(batchNorm = true): tf.LayersModel {
  const kernelInitializer = (seed: number) => tf.initializers.glorotUniform({ seed });
  const noise = { klScale: 0.1 };
  return tf.sequential({
    layers: [
      noisyConv2d({
        // before batch norm a bias has no gradient but rounding, which Adam would blow up
        useBias: !batchNorm,
        filters: 4,
        kernelSize: 3,
        inputShape: [8, 8, 1],
        name: 'c',
        noise,
        kernelInitializer: kernelInitializer(1),
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.reLU(),
      ...(batchNorm ? [tf.layers.batchNormalization()] : []),
      tf.layers.flatten(),
      logNormalDropout({ ...noise, name: 'f', klWeight: 2, bounds: { a: -10, b: 0.5 } }),
      noisyDense({ units: 6, activation: 'relu', name: 'd', noise, kernelInitializer: kernelInitializer(2) }),
      tf.layers.dense({ units: 2, kernelInitializer: kernelInitializer(3) }),
      tf.layers.softmax(),
    ],
  });
}

/** A state that the run it came from can't change any more. */
export function copyOf(state: TrainState): TrainState {
  const { weights, m, v, average, ...rest } = state;
  return {
    ...structuredClone(rest),
    weights: weights.slice(),
    m: m.slice(),
    v: v.slice(),
    ...(average && { average: average.slice() }),
  };
}

/** What a classifier of single labels minimises. */
export function classifies(model: tf.LayersModel): Objective {
  const classes = Array.from({ length: model.outputs[0]?.shape.at(-1) as number }, (_, i) => String(i));
  const label = { name: 'label', kind: 'classes' as const, shape: [], values: new Uint8Array(), classes };
  return objectiveOf(model, { name: 'labels', targets: [label] }, { labelSmoothing: 0 });
}

/** What a step of it reads. */
export function batchOf(x: tf.Tensor, y: tf.Tensor, u: tf.Tensor): StepBatch {
  return { x: [x], y: [y], taught: [], u, klScale: tf.scalar(1) };
}
