/** What `JSON.parse` gives. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A weight as the file has it: plain values, any quantisation undone. */
export interface FileWeight {
  /** As the file spells it, such as `conv1/kernel`; two nested models may have a weight of the same name each. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  /** As many values as the shape says; may be a view of the file's bytes, so never write into it. Of `bool`, one byte a value. */
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** A layers model's file in memory, of any dialect, before tfjs has seen it. */
export interface ModelFile {
  /** The file or folder as the person named it; begins messages. */
  readonly origin: string;
  /** The topology: `{ class_name, config, … }`, without the `model_config` that some writers put around it. */
  readonly topology: Json;
  /** Loss, optimizer and metrics, where the file has them. */
  readonly trainingConfig?: Json;
  /** The same as Keras or `saveModel` wrote it, where tfjs is not to compile by it. */
  readonly compileConfig?: Json;
  /** Names of the outputs that it speaks of, where they are not the topology's. */
  readonly outputNames?: readonly string[];
  readonly weights: readonly FileWeight[];
  /** What the optimizer remembers, where the file has it. */
  readonly optimizerWeights?: readonly FileWeight[];
  /** Who wrote it, where the file says: `keras v2.15.0`, `TensorFlow.js tfjs-layers v4.22.0`. */
  readonly generatedBy?: string;
  /** What its writer put beside it: tfjs's `userDefinedMetadata`. */
  readonly metadata?: Json;
}
