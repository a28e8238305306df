import { countOf } from './sizes.js';

/** What an ONNX tensor holds. */
export type ElementType = 'float32' | 'float16' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';

/** A bigint is an INT, a number a FLOAT, a list is INTS, FLOATS or STRINGS; a graph is what Scan runs for each step. */
export type Attribute =
  | bigint
  | number
  | string
  | readonly number[]
  | Float32Array
  | readonly string[]
  | Subgraph;

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** Names of tensors; '' stands for an optional one that is not given. */
  inputs: string[];
  outputs: string[];
  attributes: Record<string, Attribute>;
  /** It needs float32's range or digits, whatever the rest is computed in. */
  readonly precise?: boolean;
}

/** A tensor that the file holds. */
export interface Constant {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** float16 as its bits. */
  readonly data: Float32Array | Uint16Array | Int32Array | BigInt64Array | Int8Array | Uint8Array;
}

/** An input or output, of the model or of what Scan runs; all its sizes, the batch included; strings name the open ones. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

/** What Scan runs. Its nodes see the tensors of the graph around it. */
export interface Subgraph {
  readonly name: string;
  nodes: OnnxNode[];
  inputs: Port[];
  outputs: Port[];
}

/** An ONNX graph as the passes over it see it. */
export interface OnnxGraph {
  readonly name: string;
  nodes: OnnxNode[];
  constants: Map<string, Constant>;
  inputs: Port[];
  outputs: Port[];
}

export const isSubgraph = (attribute: Attribute): attribute is Subgraph =>
  typeof attribute === 'object' && 'nodes' in attribute;

/** The nodes and constants of an ONNX graph while it grows. Tensors are known by their names. */
export class GraphBuilder {
  readonly constants = new Map<string, Constant>();
  #nodes: OnnxNode[] = [];
  #known = new Map<string, readonly string[]>();
  readonly #names = new Set<string>();
  #isPrecise = false;

  /** @param reserved names that only the model's own inputs and outputs may have */
  constructor(reserved: Iterable<string>) {
    for (const name of reserved) this.#names.add(name);
  }

  /**
   * Adds a node with one output. The same operation on the same tensors is done once.
   *
   * @param scope the layer that it belongs to, for its name
   * @param inputs '' stands for an optional input that is not given
   */
  op(
    scope: string,
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): string {
    return this.ops(scope, opType, inputs, attributes, 1)[0]!;
  }

  /** Adds a node of several outputs. */
  ops(
    scope: string,
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute>,
    count: number,
  ): readonly string[] {
    const add = () => {
      const name = this.unique(`${scope}/${opType}`);
      const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? name : this.unique(`${name}:${i}`)));
      this.#nodes.push({ name, opType, inputs: [...inputs], outputs, attributes, precise: this.#isPrecise });
      return outputs;
    };
    if (Object.values(attributes).some(isSubgraph)) return add();
    const key = [opType, ...inputs, ...Object.entries(attributes).flat()].join('\n');
    return this.#once(key, add);
  }

  /** Another name for a tensor, which no other copy has. */
  copy(scope: string, tensor: string): string {
    const name = this.unique(`${scope}/Identity`);
    this.#nodes.push({ name, opType: 'Identity', inputs: [tensor], outputs: [name], attributes: {} });
    return name;
  }

  /** Adds a constant of float32. One of the same name and numbers, as of a layer that is used twice, is there once. */
  floats(name: string, dims: readonly number[], data: Float32Array): string {
    for (let i = 1; ; i++) {
      const own = i === 1 ? name : `${name}_${i}`;
      const there = this.constants.get(own);
      if (!there && !this.#names.has(own)) return this.#constant({ name: own, type: 'float32', dims, data });
      if (there && sameNumbers(there, dims, data)) return own;
    }
  }

  scalar(value: number): string {
    return this.#once(`scalar ${value}`, () => [
      this.floats(`constant/${value}`, [], Float32Array.of(value)),
    ])[0]!;
  }

  /** A constant list of int64, as shapes, axes and indices are given. */
  ints(values: ArrayLike<number>): string {
    const list = Array.from(values);
    return this.#once(`ints ${list}`, () => [
      this.#constant({
        name: this.unique(`constant/ints_${list.slice(0, 6).join('_')}`),
        type: 'int64',
        dims: [list.length],
        data: BigInt64Array.from(list, BigInt),
      }),
    ])[0]!;
  }

  /** What `build` adds needs float32's range or digits. */
  precisely<T>(build: () => T): T {
    const before = this.#isPrecise;
    this.#isPrecise = true;
    try {
      return build();
    } finally {
      this.#isPrecise = before;
    }
  }

  /** Builds what Scan runs: its nodes, not this graph's, are what `build` adds meanwhile. Gives back what `build` does. */
  subgraph(build: () => Omit<Subgraph, 'nodes'>): Subgraph {
    const [nodes, known] = [this.#nodes, this.#known];
    this.#nodes = [];
    this.#known = new Map(known);
    try {
      const ports = build();
      return { ...ports, nodes: this.#nodes };
    } finally {
      // What was done inside is not to be seen from outside.
      [this.#nodes, this.#known] = [nodes, known];
    }
  }

  /** A name that no tensor has yet. */
  unique(name: string): string {
    let unique = name;
    for (let i = 2; this.#names.has(unique); i++) unique = `${name}_${i}`;
    this.#names.add(unique);
    return unique;
  }

  /** The whole graph. An output's `tensor` is the one that it shows under its own name. */
  finish(
    name: string,
    inputs: readonly Port[],
    outputs: readonly (Port & { readonly tensor: string })[],
  ): OnnxGraph {
    const names = this.#nameOutputs(outputs);
    const renamed = (tensor: string) => names.get(tensor) ?? tensor;
    const rename = (nodes: readonly OnnxNode[]) => {
      for (const node of nodes) {
        node.inputs = node.inputs.map(renamed);
        node.outputs = node.outputs.map(renamed);
        for (const inner of Object.values(node.attributes).filter(isSubgraph)) rename(inner.nodes);
      }
    };
    rename(this.#nodes);
    const shown = outputs.map(({ name: own, type, dims }) => ({ name: own, type, dims }));
    return { name, nodes: this.#nodes, constants: this.constants, inputs: [...inputs], outputs: shown };
  }

  /** New names of the tensors that become outputs. One that can't be renamed is passed on under its new name. */
  #nameOutputs(outputs: readonly { readonly name: string; readonly tensor: string }[]): Map<string, string> {
    const made = new Set(this.#nodes.flatMap((node) => node.outputs));
    const names = new Map<string, string>();
    for (const { name, tensor } of outputs) {
      const canRename = made.has(tensor) && !names.has(tensor);
      if (canRename) {
        names.set(tensor, name);
        continue;
      }
      this.#nodes.push({
        name: this.unique(`${name}/Identity`),
        opType: 'Identity',
        inputs: [tensor],
        outputs: [name],
        attributes: {},
      });
    }
    return names;
  }

  #constant(constant: Constant): string {
    if (constant.data.length !== countOf(constant.dims))
      throw new Error(
        `constant '${constant.name}' has ${constant.data.length} numbers for [${constant.dims}]`,
      );
    this.#names.add(constant.name);
    this.constants.set(constant.name, constant);
    return constant.name;
  }

  #once(key: string, make: () => readonly string[]): readonly string[] {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }
}

function sameNumbers(there: Constant, dims: readonly number[], data: Float32Array): boolean {
  const same = String(there.dims) === String(dims) && there.data.length === data.length;
  return same && data.every((value, i) => Object.is(value, there.data[i]));
}
