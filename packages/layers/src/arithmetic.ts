import * as tf from '@tensorflow/tfjs';

/**
 * The operations that the noise's formulas are written in, so that they stand once and run on numbers as on tensors.
 */
export interface Arithmetic<T, Test> {
  add(a: T | number, b: T | number): T;
  sub(a: T | number, b: T | number): T;
  mul(a: T | number, b: T | number): T;
  div(a: T | number, b: T | number): T;
  min(a: T | number, b: T | number): T;
  max(a: T | number, b: T | number): T;
  abs(a: T): T;
  exp(a: T): T;
  log(a: T): T;
  log1p(a: T): T;
  sqrt(a: T): T;
  greater(a: T | number, b: T | number): Test;
  where(test: Test, a: T | number, b: T | number): T;
  /** As `where`, and what isn't wanted need not be computed. */
  either(test: Test, a: () => T, b: () => T): T;
}

/** Float64, one number at a time. */
export const onNumbers: Arithmetic<number, boolean> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  greater: (a, b) => a > b,
  where: (test, a, b) => (test ? a : b),
  either: (test, a, b) => (test ? a() : b()),
};

/** Float32 tensors, elementwise with broadcasting. */
export const onTensors: Arithmetic<tf.Tensor, tf.Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  min: tf.minimum,
  max: tf.maximum,
  abs: tf.abs,
  exp: tf.exp,
  log: tf.log,
  log1p: tf.log1p,
  sqrt: tf.sqrt,
  greater: tf.greater,
  where: tf.where,
  either: (test, a, b) => tf.where(test, a(), b()),
};
