import type { Spread } from '@sbp/bench';
import type { NetworkName } from './networks.js';

/** A value, or why there is none. */
export type Found<Value> = Value | { failure: string };

export const isFound = <Value extends object>(value: Found<Value> | undefined): value is Value =>
  value !== undefined && !('failure' in value);

/** How far outputs are from what they should be; relative to the largest of them. */
export interface Difference {
  absolute: number;
  relative: number;
}

export interface Opened extends Difference {
  /** To open it, in seconds. */
  seconds: number;
}

export interface Cut {
  /** How many noises `withNoise` put in. */
  noises: number;
  /** The noisy model at first beside the plain one. */
  unchanged: Difference;
  /** Groups over all noises, and those that the smaller model still computes. */
  widths: { before: number; after: number };
  macs: { before: number; after: number };
  params: { before: number; after: number };
  /** Of pruneModel. */
  seconds: number;
  /** The smaller model beside the noisy one at inference, in tfjs. */
  agrees: Difference;
  /** How far the noisy model's outputs for two images are from each other, relative to the largest: agreement says nothing where it sees no image. */
  contrast: number;
  /** What the report says of groups that stayed, with how many layers it is said of. */
  notes: Record<string, number>;
}

export interface CutExported extends Difference {
  bytes: number;
  /** Over the whole model's file. */
  speedup?: Spread;
}

export interface Counted {
  macs: number;
  /** Over the operations of TensorFlow's graph. */
  tensorflow: number;
}

/** What is known of a network; a step that was not reached is absent. */
export interface Result {
  name: NetworkName;
  /** Why its process ended before it had said everything. */
  died?: string;
  /** By the file's kind. */
  opened?: Record<string, Found<Opened>>;
  small?: Found<Counted>;
  published?: Found<Counted & { params: number; tensorflowParams: number; seconds: number }>;
  exported?: Found<Difference & { bytes: number }>;
  cut?: Found<Cut>;
  /** The smaller model's ONNX file in ONNX Runtime, beside the noisy model. */
  cutExported?: Found<CutExported>;
}
