import fc from 'fast-check';
import type { StepSpec } from './spec.js';
import { activation, convolution, one, padding, rarely, sides, step, upTo, useBias } from './step-specs.js';

/** What @sbp/model has beside tfjs, for each number of sizes. */
export const ours: Readonly<Record<number, fc.Arbitrary<StepSpec>>> = {
  0: fc.oneof(
    step('GeneralReLU', { negativeSlope: one(0, 0.1), threshold: one(0, 0.2), maxValue: rarely(1) }),
    step('GeneralELU', { alpha: one(0.5) }),
    step('Clip', { min: one(-0.5, 0), max: one<number | null>(1, null) }),
    step('Power', { exponent: one(2) }),
    step('Reduce', {
      op: one('mean', 'sum', 'max', 'min'),
      axes: one('places', 'places', 'first', 'last'),
      keepdims: fc.boolean(),
    }),
    step('LayerScale'),
    step('Normalization', { perChannel: fc.boolean() }),
    fc.oneof(
      step('GroupNormalization', { groups: one(1, 2) }),
      step('RMSNormalization'),
      step('UnitNormalization'),
    ),
  ),
  2: fc.oneof(
    step('GeneralConv1D', { ...convolution, kernelSize: sides, groups: one(1, 2) }),
    step('GeneralGRU', { units: upTo(6, 2), returnSequences: fc.boolean() }),
    step('UpSampling1D', { size: one(2) }),
    step('ZeroPadding1D', { padding: one<unknown>([1, 0], [1, 1]) }),
    step('Cropping1D', { cropping: one([1, 0]) }),
  ),
  3: fc.oneof(
    step('GeneralConv2D', { ...convolution, kernelSize: sides, groups: one(1, 2, 2, 3) }),
    step('GeneralDepthwiseConv2D', {
      padding,
      kernelSize: one(1, 2, 3),
      dilationRate: one(1, 2),
      depthMultiplier: one(1, 1, 2),
      useBias,
      activation,
    }),
    step('GeneralConv2DTranspose', { ...convolution, kernelSize: sides }),
    step('GeneralUpSampling2D', { size: one([2, 2], [1, 2]), interpolation: one('bilinear') }),
    step('GeneralResizing', { height: one(3, 5), width: one(4), interpolation: one('bilinear', 'nearest') }),
    step('SpatialDropout2D', { rate: one(0.5) }),
  ),
  4: fc.oneof(
    step('GeneralConv3D', { ...convolution, kernelSize: one(1, 2), groups: one(1, 2) }),
    step('GlobalAveragePooling3D', { keepdims: fc.boolean() }),
    step('GlobalMaxPooling3D', { keepdims: fc.boolean() }),
    step('UpSampling3D', { size: one([1, 2, 2]) }),
    step('ZeroPadding3D', {
      padding: one([
        [1, 0],
        [0, 1],
        [1, 1],
      ]),
    }),
  ),
};
