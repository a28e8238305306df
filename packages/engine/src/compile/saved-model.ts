import type { Binding, OpAttr } from '../tensorflow-ops/node-backend.js';
import type { GraphNode } from './plan.js';

/** TensorFlow's number for the version of graphs that is written: its ops of then, as they behave now. */
const graphVersion = 1286;

/** Those of tfjs-node's classes for TensorFlow's protobuf schemas that a graph takes. */
interface Messages {
  SavedModel: new () => {
    setSavedModelSchemaVersion(version: number): void;
    addMetaGraphs(graph: object): void;
    serializeBinary(): Uint8Array;
  };
  MetaGraphDef: (new () => { setMetaInfoDef(info: object): void; setGraphDef(graph: object): void }) & {
    MetaInfoDef: new () => { addTags(tag: string): void };
  };
  GraphDef: new () => { setVersions(versions: object): void; addNode(node: object): void };
  VersionDef: new () => { setProducer(version: number): void };
  NodeDef: new () => {
    setName(name: string): void;
    setOp(op: string): void;
    setInputList(inputs: string[]): void;
    getAttrMap(): { set(name: string, value: object): void };
  };
  AttrValue: (new () => Record<`set${'S' | 'I' | 'F' | 'B' | 'Type' | 'Shape' | 'Tensor' | 'List'}`, Set>) & {
    ListValue: new () => Record<`set${'S' | 'I' | 'F' | 'B' | 'Type'}List`, Set>;
  };
  Tensor: new () => Record<'setDtype' | 'setTensorShape' | 'setTensorContent', Set>;
  TensorShape: (new () => { addDim(dim: object): void }) & { Dim: new () => { setSize(size: number): void } };
}
type Set = (value: unknown) => void;

/** A graph as the content of a `saved_model.pb` with the tag 'serve'. */
export function savedModel(binding: Binding, nodes: readonly GraphNode[]): Uint8Array {
  const messages = loadedMessages();
  const graph = new messages.GraphDef();
  const versions = new messages.VersionDef();
  versions.setProducer(graphVersion);
  graph.setVersions(versions);
  for (const { name, op, inputs, attrs, outputs, bytes } of nodes) {
    const node = new messages.NodeDef();
    node.setName(name);
    node.setOp(op);
    node.setInputList(inputs);
    const map = node.getAttrMap();
    for (const attr of attrs) {
      // Eager execution takes null for an attribute's default; a graph has no such thing.
      if (attr.value !== null && attr.value !== undefined)
        map.set(attr.name, attrValue(messages, binding, attr));
    }
    const [constant] = outputs;
    if (bytes && constant) {
      const dtype = { name: 'dtype', type: binding.TF_ATTR_TYPE, value: constant.dtype };
      map.set('dtype', attrValue(messages, binding, dtype));
      map.set('value', constantValue(messages, constant, bytes));
    }
    graph.addNode(node);
  }
  const metaGraph = new messages.MetaGraphDef();
  const info = new messages.MetaGraphDef.MetaInfoDef();
  info.addTags('serve');
  metaGraph.setMetaInfoDef(info);
  metaGraph.setGraphDef(graph);
  const model = new messages.SavedModel();
  model.setSavedModelSchemaVersion(1);
  model.addMetaGraphs(metaGraph);
  return model.serializeBinary();
}

function attrValue(messages: Messages, binding: Binding, { type, value }: OpAttr): object {
  const attr = new messages.AttrValue();
  if (type === binding.TF_ATTR_SHAPE) {
    attr.setShape(shapeMessage(messages, value as number[]));
    return attr;
  }
  const bytes = (text: unknown) => new TextEncoder().encode(String(text));
  const list = Array.isArray(value) ? new messages.AttrValue.ListValue() : undefined;
  if (type === binding.TF_ATTR_STRING) {
    if (list) list.setSList((value as unknown[]).map(bytes));
    else attr.setS(bytes(value));
  } else {
    const field = (['Int', 'Float', 'Bool', 'Type'] as const).find(
      (kind) => type === binding[`TF_ATTR_${kind.toUpperCase()}`],
    );
    if (!field) throw new Error(`an attribute of TensorFlow's type ${type} can't be written`);
    const name = field === 'Type' ? field : (field[0] as 'I' | 'F' | 'B');
    if (list) list[`set${name}List`](value);
    else attr[`set${name}`](value);
  }
  if (list) attr.setList(list);
  return attr;
}

function constantValue(
  messages: Messages,
  { dtype, shape }: GraphNode['outputs'][number],
  bytes: Uint8Array,
): object {
  const tensor = new messages.Tensor();
  tensor.setDtype(dtype);
  tensor.setTensorShape(shapeMessage(messages, shape));
  tensor.setTensorContent(bytes);
  const attr = new messages.AttrValue();
  attr.setTensor(tensor);
  return attr;
}

function shapeMessage(messages: Messages, shape: readonly number[]): object {
  const message = new messages.TensorShape();
  for (const size of shape) {
    const dim = new messages.TensorShape.Dim();
    dim.setSize(size);
    message.addDim(dim);
  }
  return message;
}

/** tfjs-node has loaded them itself, from wherever it is. */
function loadedMessages(): Messages {
  const { cache } = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  const file = Object.keys(cache).find((name) =>
    /[\\/]tfjs-node(-gpu)?[\\/]dist[\\/]proto[\\/]api_pb\.js$/.test(name),
  );
  if (!file) throw new Error("tfjs-node's dist/proto/api_pb.js is not loaded");
  return cache[file]?.exports;
}
