import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
  Version,
} from './proto/onnx_pb.js';
import type { Shape } from './shape.js';

/** A bigint is an INT, a number a FLOAT, and a list is INTS. */
export type Attributes = Readonly<Record<string, bigint | number | string | readonly number[]>>;

/** An input or output of the model; the batch stands before its shape. */
export interface Port {
  readonly name: string;
  readonly shape: Shape;
}

/** What ONNX Runtime 1.12 (2022) and everything since reads. */
const opset = 17n;
const irVersion = BigInt(Version.IR_VERSION_2021_7_30);

/** The nodes and constants of an ONNX graph while it grows. Tensors are known by their names. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #constants: TensorProto[] = [];
  readonly #names = new Set<string>();
  readonly #known = new Map<string, string>();

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
  op(scope: string, opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    const key = [opType, ...inputs, ...Object.entries(attributes).flat()].join('\n');
    return this.#once(key, () => this.#add(scope, opType, inputs, attributes));
  }

  /** Adds a constant of float32. */
  floats(name: string, dims: Shape, data: Float32Array): string {
    const unique = this.#unique(name);
    const constant = {
      name: unique,
      dims: dims.map(BigInt),
      dataType: TensorProto_DataType.FLOAT,
      // Little-endian, as every machine that tfjs runs on.
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
    this.#constants.push(create(TensorProtoSchema, constant));
    return unique;
  }

  scalar(value: number): string {
    return this.#once(`scalar ${value}`, () => this.floats(`constant/${value}`, [], Float32Array.of(value)));
  }

  /** A constant list of int64, as shapes, axes and indices are given. */
  ints(values: ArrayLike<number>): string {
    const list = Array.from(values);
    return this.#once(`ints ${list}`, () => {
      const constant = {
        name: this.#unique(`constant/ints_${list.slice(0, 6).join('_')}`),
        dims: [BigInt(list.length)],
        dataType: TensorProto_DataType.INT64,
        int64Data: list.map(BigInt),
      };
      this.#constants.push(create(TensorProtoSchema, constant));
      return constant.name;
    });
  }

  /** The serialized model. An output's `tensor` is the one that it shows under its own name. */
  finish(
    name: string,
    inputs: readonly Port[],
    outputs: readonly (Port & { readonly tensor: string })[],
  ): Uint8Array {
    const names = this.#nameOutputs(outputs);
    const renamed = (tensor: string) => names.get(tensor) ?? tensor;
    for (const node of this.#nodes) {
      node.input = node.input.map(renamed);
      node.output = node.output.map(renamed);
    }
    const model = create(ModelProtoSchema, {
      irVersion,
      opsetImport: [{ domain: '', version: opset }],
      producerName: '@sbp/onnx',
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#constants,
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
    });
    return toBinary(ModelProtoSchema, model);
  }

  /** New names of the tensors that become outputs. One that can't be renamed is passed on under its new name. */
  #nameOutputs(outputs: readonly (Port & { readonly tensor: string })[]): Map<string, string> {
    const made = new Set(this.#nodes.flatMap(({ output }) => output));
    const names = new Map<string, string>();
    for (const { name, tensor } of outputs) {
      const canRename = made.has(tensor) && !names.has(tensor);
      names.set(canRename ? tensor : this.#add(name, 'Identity', [tensor], {}), name);
    }
    return names;
  }

  #add(scope: string, opType: string, inputs: readonly string[], attributes: Attributes): string {
    const name = this.#unique(`${scope}/${opType}`);
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    const node = { name, opType, input: [...inputs], output: [name], attribute };
    this.#nodes.push(create(NodeProtoSchema, node));
    return name;
  }

  #once(key: string, make: () => string): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }

  #unique(name: string): string {
    let unique = name;
    for (let i = 2; this.#names.has(unique); i++) unique = `${name}_${i}`;
    this.#names.add(unique);
    return unique;
  }
}

function attributeOf(name: string, value: Attributes[string]): AttributeProto {
  const types = AttributeProto_AttributeType;
  if (typeof value === 'bigint') return create(AttributeProtoSchema, { name, type: types.INT, i: value });
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: types.FLOAT, f: value });
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: types.STRING, s: new TextEncoder().encode(value) });
  }
  return create(AttributeProtoSchema, { name, type: types.INTS, ints: value.map(BigInt) });
}

function valueInfo({ name, shape }: Port): ValueInfoProto {
  const dim = [
    { value: { case: 'dimParam' as const, value: 'batch' } },
    ...shape.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } })),
  ];
  const tensorType = { elemType: TensorProto_DataType.FLOAT, shape: { dim } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } });
}
