import type { FileWeight, Json } from '../../files/model-file.js';
import type { AddOptions, BuiltModel } from '../build/builder.js';
import type { Tensor } from '../build/tensor.js';
import type { JsonObject } from '../topology/json.js';
import type { Argument, CallSpec } from '../topology/spec.js';

/** One use of a Keras layer that is being said in tfjs's layers. */
export interface LayerUse {
  readonly className: string;
  readonly name: string;
  readonly config: JsonObject;
  /** 2 or 3. */
  readonly keras: number;
  /** True where a mask begins somewhere in the file. */
  readonly masks: boolean;
  /** What it is called on: tensors of the model that is being written. */
  readonly inputs: readonly Tensor[];
  readonly call: CallSpec;
  /** The tensor that an argument names. */
  tensor(argument: Argument): Tensor | undefined;
  /** The layer's weights by Keras's names, which are given in Keras's order; `at` is a part of the layer. */
  weights(names: readonly (string | false)[], at?: Part): Record<string, FileWeight>;
  /** Puts a layer of tfjs's behind the tensors, the inputs by default. The first has the Keras layer's name, another that and the suffix. */
  add(
    className: string,
    config: JsonObject,
    options?: AddOptions & { on?: readonly Tensor[]; suffix?: string },
  ): Tensor[];
  /** Another Keras layer, which stands in this one's config, as a model of one input. */
  inner(layer: Json | undefined, input: Tensor, at: Part): BuiltModel;
  /** Another Keras layer, which stands in this one's config and has no weights, behind the tensors. */
  follow(layer: Json, inputs: readonly Tensor[], suffix: string): Tensor[];
  /** Ends in a message that names the layer. */
  fail(message: string): never;
}

/** A part of a layer that has weights of its own. */
export interface Part {
  /** In the store of a `.keras` file: `cell`, `forward_layer`. */
  readonly store: string;
  /** What stands in its weights' names. */
  readonly names: readonly string[];
}

/** What is known of a Keras layer class. */
export interface Entry {
  /** Fields of its config that the entry heeds, or may leave out because no output depends on them. Any other is refused. */
  readonly fields: readonly string[];
  /** Keyword arguments that its calls may have; others have to be null. Operations look at theirs themselves. */
  readonly takes?: readonly string[] | 'anything';
  /** Says the layer in tfjs's layers; its outputs. */
  readonly say: (use: LayerUse) => readonly Tensor[];
}

export type Entries = Readonly<Record<string, Entry>>;
