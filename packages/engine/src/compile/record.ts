import * as tf from '@tensorflow/tfjs';
import type { Binding, NodeBackend, OpAttr, OutputInfo } from '../tensorflow-ops/node-backend.js';
import { CompileError } from './error.js';
import { type CallSite, callSite, lineOf, withLongStacks } from './source-line.js';
import { type InPlaceUpdate, whileTracing } from './tracing.js';

/** An operation that ran, under TensorFlow's own names: a node of the graph to be. */
export interface Node {
  name: string;
  op: string;
  /** `name` or `name:output` of other nodes. */
  inputs: string[];
  attrs: OpAttr[];
  outputs: Pick<OutputInfo, 'dtype' | 'shape'>[];
  /** Of a Const: its numbers. */
  bytes?: Uint8Array;
  /** Where it was called; of a Const, where its tensor was made. */
  site: CallSite;
}

export interface Recording<T> {
  nodes: Node[];
  value: T;
  /** Of each tensor that was wanted: the output that holds it, as `name` or `name:output`. */
  refs: string[];
  /** By the outputs that hold their tensors. */
  updates: InPlaceUpdate<string>[];
  /** What was made inside and given to `tf.keep`, by the program or by tfjs. */
  kept: Set<tf.Tensor>;
}

/** Operations whose result's shape is known only when they have run. */
const dynamicShapes = new Set([
  ...['Unique', 'UniqueV2', 'Where'],
  ...['NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5'],
]);

/** Attributes that tfjs-node leaves to eager execution to infer: the dtypes of the inputs, by their order. */
const inferredDtypes: Record<string, string[]> = { ExpandDims: ['T', 'Tdim'] };

/**
 * Runs `body` on the tensorflow backend and writes down every operation that runs in it.
 *
 * @param feeds tensors that the graph will be fed, and their nodes' names; no two of them share data
 * @param variables those that `body` may assign to
 * @param body gives its value, and the tensors of which a graph would need to know where they are
 * @throws CompileError for what a graph can't do
 */
export function record<T>(
  backend: NodeBackend,
  feeds: ReadonlyMap<tf.Tensor, string>,
  variables: ReadonlySet<tf.Variable>,
  body: () => { value: T; wanted: tf.Tensor[] },
): Recording<T> {
  const native = backend.binding;
  const nodes: Node[] = [];
  /** Which output holds the tensor that the addon knows by an id. Ids are never used again. */
  const refs = new Map<number, string>();
  const dtypes = new Map<string, number>();
  const hold = (id: number, ref: string, dtype: number) => {
    refs.set(id, ref);
    dtypes.set(ref, dtype);
  };
  for (const [tensor, name] of feeds) {
    const { id, dtype } = backend.tensorMap.get(tensor.dataId);
    hold(id, name, dtype);
  }
  /** Data that JavaScript wrote while recording, and where. */
  const written = new WeakMap<object, CallSite>();
  const kept = new Set<tf.Tensor>();
  // The first failure is the one to tell: a function may catch it, and an asynchronous one is back before it throws.
  let failure: CompileError | undefined;
  const fail = (
    code: CompileError['code'],
    site: CallSite,
    message: (where: string) => string,
    op?: string,
  ) => {
    const line = lineOf(site);
    failure ??= new CompileError(code, message(line ? `at ${line}` : '').replaceAll('  ', ' '), { op, line });
    return failure;
  };
  const refOf = (id: number, site: CallSite, op: string) => {
    const ref = refs.get(id);
    if (ref !== undefined) return ref;
    const message = (where: string) =>
      `${op} ${where} uses a tensor that was made outside of the function and is not an argument, so a graph would never see it change: pass it as an argument${variables.size ? ' or add it to' : ', or a variable by'} the option 'variables'.`;
    throw fail('captured', site, message, op);
  };

  const executeOp: Binding['executeOp'] = (op, attrs, inputs, outputs) => {
    const site = callSite(executeOp);
    if (dynamicShapes.has(op) && !attrs.some((a) => a.name === 'pad_to_max_output_size' && a.value)) {
      const message = (where: string) =>
        `the shape of the result of ${op} ${where} depends on the numbers in a tensor, and in a graph shapes are fixed: run it outside of the function, or use a mask.`;
      throw fail('dynamic-shape', site, message, op);
    }
    if (op === 'Multinomial') {
      const message = (where: string) =>
        `${op} ${where} draws random numbers inside TensorFlow, and a graph would draw others: draw them outside of the function and pass them as an argument.`;
      throw fail('random', site, message, op);
    }
    const from = inputs.map((id) => refOf(id, site, op));
    const infos = native.executeOp(op, attrs, inputs, outputs);
    const name = `${op.replaceAll(/[^A-Za-z0-9]/g, '')}_${nodes.length}`;
    const inferred = (inferredDtypes[op] ?? []).map((name, i) => ({
      name,
      type: native.TF_ATTR_TYPE,
      value: dtypes.get(from[i] as string),
    }));
    const made = infos.map(({ dtype, shape }) => ({ dtype, shape }));
    nodes.push({ name, op, inputs: from, attrs: [...attrs, ...inferred], outputs: made, site });
    for (const [i, { id, dtype }] of infos.entries()) hold(id, i === 0 ? name : `${name}:${i}`, dtype);
    return infos;
  };

  /** Where the constant that is about to be created was written; false for one that isn't the function's. */
  let source: CallSite | undefined | false;
  const createTensor: Binding['createTensor'] = (shape, dtype, values) => {
    const id = native.createTensor(shape, dtype, values);
    if (source === false) return id;
    const site = source ?? callSite(createTensor);
    if (!ArrayBuffer.isView(values)) {
      const message = (where: string) =>
        `a tensor of strings is made ${where}, which a graph can't hold: keep strings outside of the function.`;
      throw fail('string', site, message);
    }
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const name = `Const_${nodes.length}`;
    nodes.push({ name, op: 'Const', inputs: [], attrs: [], outputs: [{ dtype, shape }], bytes, site });
    hold(id, name, dtype);
    return id;
  };

  const original = { getInputTensorIds: backend.getInputTensorIds, write: backend.write };
  const getInputTensorIds: NodeBackend['getInputTensorIds'] = (tensors) =>
    tensors.flatMap((tensor) => {
      // A tensor made of JavaScript's numbers reaches the addon when it is first used, so one made long ago looks new there.
      const pending = tensor.dataId && backend.tensorMap.get(tensor.dataId)?.values;
      source = written.get(tensor.dataId ?? {}) ?? (pending ? false : undefined);
      try {
        return original.getInputTensorIds.call(backend, [tensor]);
      } finally {
        source = undefined;
      }
    });
  const write: NodeBackend['write'] = (values, shape, dtype) => {
    const dataId = original.write.call(backend, values, shape, dtype);
    written.set(dataId, callSite(write));
    return dataId;
  };

  const refsOf = (tensors: tf.Tensor[], op: string) =>
    getInputTensorIds(tensors).map((id) => refOf(id, callSite(refsOf), op));
  const updates: InPlaceUpdate<string>[] = [];
  const onUpdate = ({ op, before, after, inputs }: InPlaceUpdate) => {
    updates.push({ op, before: refsOf(before, op), after: refsOf(after, op), inputs: refsOf(inputs, op) });
  };

  const prototype = Object.getPrototypeOf(backend) as NodeBackend;
  const readBack = (site: CallSite) =>
    fail(
      'read-back',
      site,
      (where) =>
        `a tensor's numbers are read ${where} (by dataSync(), data(), arraySync(), print() or the like), and a graph has none before it runs: compute with tensors, or return the tensor and read it outside.`,
    );
  // What JavaScript wrote it may also read.
  const readSync: NodeBackend['readSync'] = (dataId) => {
    if (!written.has(dataId)) throw readBack(callSite(readSync));
    return prototype.readSync.call(backend, dataId);
  };
  const read: NodeBackend['read'] = (dataId) => {
    if (written.has(dataId)) return prototype.read.call(backend, dataId);
    readBack(callSite(read));
    // Rather than a rejection, which nobody would handle; the failure is thrown when the function is back.
    return new Promise(() => {});
  };

  const engine = tf.engine();
  const stockKeep = engine.keep;
  const newest = newestTensorId();
  const keep = <K extends tf.Tensor>(tensor: K): K => {
    if (tensor.id > newest) kept.add(tensor);
    return stockKeep.call(engine, tensor) as K;
  };
  const outer = new Set(Object.values(engine.registeredVariables));
  const { assign } = tf.Variable.prototype;
  function assignInside(this: tf.Variable, value: tf.Tensor): void {
    if (outer.has(this) && !variables.has(this)) {
      const message = (where: string) =>
        `the variable '${this.name}' is assigned to ${where}, which a graph doesn't do by itself: return the new value, or add the variable to the option 'variables'.`;
      throw fail('assign', callSite(assignInside), message);
    }
    assign.call(this, value);
  }

  // The addon's properties can't be replaced, nor shown through a Proxy, but they can be inherited.
  const binding = Object.create(native, {
    executeOp: { value: executeOp },
    createTensor: { value: createTensor },
  }) as Binding;
  const restore = [
    replace(backend, { binding, getInputTensorIds, write, readSync, read }),
    replace(engine, { keep }),
    replace(tf.Variable.prototype, { assign: assignInside }),
  ];
  try {
    const { value, wanted } = withLongStacks(() => whileTracing(onUpdate, body));
    if (failure) throw failure;
    return { nodes, value, refs: refsOf(wanted, 'the result'), updates, kept };
  } catch (error) {
    for (const tensor of kept) tensor.dispose();
    throw failure ?? error;
  } finally {
    for (const undo of restore) undo();
    for (const variable of Object.values(engine.registeredVariables)) {
      if (!outer.has(variable)) variable.dispose();
    }
  }
}

/** Tensors made from now on have greater ones. */
function newestTensorId(): number {
  const marker = tf.scalar(0);
  marker.dispose();
  return marker.id;
}

/** Puts other properties on an object; gives what puts the old ones back. */
function replace<T extends object>(target: T, properties: Partial<T>): () => void {
  const before = Object.keys(properties).map(
    (key) => [key, Object.getOwnPropertyDescriptor(target, key)] as const,
  );
  Object.assign(target, properties);
  return () => {
    for (const [key, descriptor] of before) {
      delete target[key as keyof T];
      if (descriptor) Object.defineProperty(target, key, descriptor);
    }
  };
}
