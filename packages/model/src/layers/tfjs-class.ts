import * as tf from '@tensorflow/tfjs';

/** What tfjs's layers have beside what its types say, as far as ours build on it. */
export interface TfjsLayer extends tf.layers.Layer {
  activation: { apply(x: tf.Tensor): tf.Tensor };
  axis: number | number[];
  beta: tf.LayerVariable | null;
  bias: tf.LayerVariable | null;
  center: boolean;
  cropping: [number, number][];
  dataFormat: 'channelsFirst' | 'channelsLast';
  depthwiseKernel: tf.LayerVariable;
  dilationRate: number[];
  epsilon: number;
  filters: number;
  gamma: tf.LayerVariable | null;
  kernel: tf.LayerVariable;
  kernelInitializer: Initializer;
  kernelRegularizer: Regularizer;
  kernelConstraint: Constraint;
  biasInitializer: Initializer;
  biasRegularizer: Regularizer;
  biasConstraint: Constraint;
  kernelSize: number[];
  momentum: number;
  movingMean: tf.LayerVariable;
  movingVariance: tf.LayerVariable;
  padding: 'same' | 'valid';
  rank: 1 | 2 | 3;
  scale: boolean;
  strides: number[];
  useBias: boolean;
}

type AddWeight = Parameters<tf.layers.Layer['addWeight']>;
export type Initializer = AddWeight[3];
export type Regularizer = AddWeight[4];
export type Constraint = AddWeight[6];

/** What a layer is called with. */
export interface CallOptions {
  training?: boolean;
  mask?: tf.Tensor | null;
  [key: string]: unknown;
}

/** The class of a layer of tfjs's own by the name under which tfjs registers it; most are not exported. */
export function tfjsClass(className: string): new (config: object) => TfjsLayer {
  const known = tf.serialization.SerializationMap.getMap().classNameMap[className];
  if (!known) throw new Error(`this tfjs has no ${className}`);
  return known[0] as unknown as new (
    config: object,
  ) => TfjsLayer;
}

/** The one tensor of a layer with one input. */
export function one(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

/** The one shape of a layer with one input. */
export function oneShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as tf.Shape;
}

/** The axis, counted from the end where it is negative, as a positive one. */
export function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The axes' sizes where they are, 1 elsewhere. */
export function alongAxes(shape: readonly number[], axes: readonly number[]): number[] {
  return shape.map((size, axis) => (axes.includes(axis) ? size : 1));
}

export const registerLayer = tf.serialization.registerClass as (layer: unknown) => void;
