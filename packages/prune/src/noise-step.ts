import { multiplierAt, noiseOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { identity, type PerIndex, type Shape, type Step } from './steps.js';
import { addLayer } from './stock.js';
import { filled } from './weights.js';

/** A layer's noise at inference: each group times E θ, or 0 where it is to go. */
export function noiseStep(layer: tf.layers.Layer, shape: Shape, threshold: number | undefined): Step {
  const values = noiseOf(layer)!;
  const multiplier = threshold === undefined ? values.multiplier : multiplierAt(threshold, values);
  const above = values.snr.filter((snr) => snr > (threshold ?? values.threshold)).length;
  let factors: PerIndex | undefined;
  return {
    name: layer.name,
    inShape: shape,
    outShape: shape,
    homogeneous: true,
    source: identity,
    run: (x) => x.mul(Float32Array.from(multiplier)),
    keepIn: (indices) => {
      factors &&= indices.map((i) => factors![i]!);
    },
    noiseParams: 2 * values.snr.length,
    noise: {
      multiplier,
      above,
      snr: values.snr,
      standIn: (given) => {
        factors = given;
      },
    },
    build: (x) => {
      if (!factors) return x;
      const size = factors.length;
      // gamma · (x − 0) / √(1 + 0): the one stock layer that multiplies each channel and nothing else
      const config = { name: layer.name, axis: -1, epsilon: 0, center: false, scale: true };
      const gamma = { shape: [size], data: Float64Array.from(factors) };
      return addLayer('BatchNormalization', config, x, [gamma, filled(size, 0), filled(size, 1)]);
    },
  };
}
