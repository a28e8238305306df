import { multiplierAt, noiseOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { type NoiseOp, type OpSpec, type PerIndex, type Shape, straight, whole } from '../ops/op.js';
import { addLayer } from '../ops/stock.js';
import { filled } from '../ops/weights.js';
import type { Kind, Use } from './kind.js';

/**
 * A layer's noise at inference, if it has any: each group times E θ, or 0 where it is to go.
 *
 * @param axis the noise's groups are those along it; default: the layer's own channels
 */
export function noiseOps(
  use: Use,
  before: Pick<OpSpec, 'outShapes' | 'outAxis'>,
  axis = before.outAxis,
): OpSpec[] {
  const { layer, threshold, config } = use;
  const values = noiseOf(layer);
  if (!values) return [];
  const { snr } = values;
  const own = layer.getClassName() === 'LogNormalDropout' ? '' : '_noise';
  const op = multiplyingOp(`${config.name}${own}`, before.outShapes[0]!, axis, {
    multiplier: threshold === undefined ? values.multiplier : multiplierAt(threshold, values),
    snr,
    above: snr.filter((ratio) => ratio > (threshold ?? values.threshold)).length,
  });
  const noiseParams = 2 * snr.length;
  if (before.outAxis === axis) return [{ ...op, noiseParams }];
  const ways = [whole('its noise is along another axis')];
  return [{ ...op, noiseParams, ways, cuttable: false, homogeneous: undefined }];
}

/**
 * Multiplies each group.
 *
 * @param name of the layer that does it where no weights can
 */
export function multiplyingOp(
  name: string,
  shape: Shape,
  axis: number,
  given: Omit<NoiseOp, 'standIn'>,
): OpSpec & { readonly noise: NoiseOp } {
  const groups = shape[axis]!;
  let factors: PerIndex | undefined;
  const noise: NoiseOp = {
    ...given,
    standIn: (all) => {
      factors = all;
    },
  };
  const along = [1, ...shape.map((_, i) => (i === axis ? groups : 1))];
  return {
    ways: [straight(groups)],
    outShapes: [shape],
    outAxis: axis,
    cuttable: true,
    homogeneous: 'jointly',
    run: ([x]) => x!.mul(tf.tensor(Float32Array.from(noise.multiplier), along)),
    adapt: (_, outs) => {
      factors &&= outs.map((o) => factors![o]!);
    },
    noise,
    ...(isNormalized(shape, axis) && { parts: [{ size: 3 * groups, by: 'out', when: 'standIn' }] }),
    build: (xs) => (factors ? [standIn(name, Float64Array.from(factors), xs[0]!, axis + 1)] : xs),
  };
}

/** Whether batch norm stands in; tfjs can't normalise images of three axes. */
const isNormalized = ({ length }: Shape, axis: number) => length < 4 || axis !== length - 1;

/** A layer of tfjs's own that multiplies each group. */
function standIn(name: string, factors: Float64Array, x: tf.SymbolicTensor, axis: number): tf.SymbolicTensor {
  const size = factors.length;
  if (!isNormalized(x.shape.slice(1) as number[], axis - 1))
    return addLayer('Rescaling', { name, scale: Array.from(factors), offset: 0 }, x);
  // gamma · (x − 0) / √(1 + 0)
  const config = { name, axis: axis === x.rank - 1 ? -1 : axis, epsilon: 0, center: false, scale: true };
  const gamma = { shape: [size], data: factors };
  return addLayer('BatchNormalization', config, x, [gamma, filled(size, 0), filled(size, 1)]);
}

/** Noise of a layer of its own. */
const logNormalDropout: Kind = (use) =>
  noiseOps(use, { outShapes: use.outShapes, outAxis: use.inputs[0]!.axis }, use.outShapes[0]!.length - 1);

export const noiseKinds: Readonly<Record<string, Kind>> = { LogNormalDropout: logNormalDropout };
