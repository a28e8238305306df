import type { Json } from '../../files/model-file.js';
import type { JsonObject } from './json.js';

/** One output of one use of a layer. */
export interface TensorRef {
  readonly layer: string;
  /** Which use of the layer, as the file counts. */
  readonly call: number;
  readonly index: number;
}

/** What a layer is called with at one place: a tensor, a constant, or a list that holds tensors. */
export type Argument =
  | { readonly ref: TensorRef }
  | { readonly value: Json }
  | { readonly list: readonly Argument[] };

/** One use of a layer. */
export interface CallSpec {
  readonly args: readonly Argument[];
  readonly kwargs: Readonly<Record<string, Argument>>;
}

export interface LayerSpec {
  readonly className: string;
  /** Python's module. */
  readonly module: string;
  /** True of operations of Keras 3's, some of which are named as layers are. */
  readonly operation: boolean;
  /** `package>class` of a class that someone registered with Keras. */
  readonly registered: string;
  readonly name: string;
  readonly config: JsonObject;
  /** Where its weights stand in a `.keras` file's store, below the model's. */
  readonly store: string;
  readonly calls: readonly CallSpec[];
  /** Of a nested model. */
  readonly model?: ModelSpec;
}

/** A model's topology, the same whatever Keras wrote it. */
export interface ModelSpec {
  readonly name: string;
  readonly sequential: boolean;
  readonly layers: readonly LayerSpec[];
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

/** All tensors among the arguments, in order. */
export function refsIn(argument: Argument): TensorRef[] {
  if ('ref' in argument) return [argument.ref];
  return 'list' in argument ? argument.list.flatMap(refsIn) : [];
}
