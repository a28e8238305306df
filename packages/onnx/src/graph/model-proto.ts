import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
  Version,
} from '../proto/onnx_pb.js';
import {
  type Attribute,
  type Constant,
  type ElementType,
  isSubgraph,
  type OnnxGraph,
  type OnnxNode,
  type Port,
} from './graph-builder.js';

/** What ONNX Runtime 1.12 (2022) and everything since reads. */
const opset = 17n;
const irVersion = BigInt(Version.IR_VERSION_2021_7_30);

/** ONNX's numbers for what a tensor holds; Cast takes them too. */
export const elementTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  int64: TensorProto_DataType.INT64,
  int32: TensorProto_DataType.INT32,
  int8: TensorProto_DataType.INT8,
  uint8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
};

/** The file's bytes. */
export function serialized(graph: OnnxGraph): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion,
    opsetImport: [{ domain: '', version: opset }],
    producerName: '@sbp/onnx',
    graph: graphOf(graph, [...graph.constants.values()]),
  });
  return toBinary(ModelProtoSchema, model);
}

function graphOf(
  { name, nodes, inputs, outputs }: Omit<OnnxGraph, 'constants'>,
  constants: readonly Constant[],
): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: nodes.map(nodeOf),
    initializer: constants.map(tensorOf),
    input: inputs.map(valueInfo),
    output: outputs.map(valueInfo),
  });
}

function nodeOf({ name, opType, inputs, outputs, attributes }: OnnxNode): NodeProto {
  const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
  return create(NodeProtoSchema, { name, opType, input: inputs, output: outputs, attribute });
}

function tensorOf({ name, type, dims, data }: Constant): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: elementTypes[type],
    // Little-endian, as every machine that tfjs runs on.
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
}

function attributeOf(name: string, value: Attribute): AttributeProto {
  const types = AttributeProto_AttributeType;
  const utf8 = (text: string) => new TextEncoder().encode(text);
  if (typeof value === 'bigint') return create(AttributeProtoSchema, { name, type: types.INT, i: value });
  if (typeof value === 'number') return create(AttributeProtoSchema, { name, type: types.FLOAT, f: value });
  if (typeof value === 'string')
    return create(AttributeProtoSchema, { name, type: types.STRING, s: utf8(value) });
  if (isSubgraph(value))
    return create(AttributeProtoSchema, { name, type: types.GRAPH, g: graphOf(value, []) });
  if (value instanceof Float32Array)
    return create(AttributeProtoSchema, { name, type: types.FLOATS, floats: [...value] });
  if (typeof value[0] === 'string')
    return create(AttributeProtoSchema, {
      name,
      type: types.STRINGS,
      strings: (value as readonly string[]).map(utf8),
    });
  return create(AttributeProtoSchema, {
    name,
    type: types.INTS,
    ints: (value as readonly number[]).map(BigInt),
  });
}

function valueInfo({ name, type, dims }: Port): ValueInfoProto {
  const dim = dims.map((size) =>
    typeof size === 'string'
      ? { value: { case: 'dimParam' as const, value: size } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } },
  );
  const tensorType = { elemType: elementTypes[type], shape: { dim } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } });
}
