import type { Binding, OpAttr } from '../tensorflow-ops/node-backend.js';
import type { Node } from './record.js';
import type { Feed, Result, Trace } from './trace.js';

export type GraphNode = Omit<Node, 'site'>;

/** A traced function as a graph, and the names by which it is run. */
export interface Plan {
  nodes: GraphNode[];
  /** Fed in every run: the inputs that are not the state, then the variables. */
  feeds: string[];
  /** Fetched in every run. */
  fetches: string[];
  /** Where each tensor of the result is found: among what was fetched, or among what was fed. */
  results: ({ fetch: number; kept: boolean } | { feed: number })[];
  /** The variables that get a new value, by their place among what is fed. */
  assigned: { feed: number; fetch: number }[];
  /** Disposed of after a run, by their place among what is fed. */
  consumed: number[];
  state: { size: number; feeds: string[]; ready: string; values: string[] };
}

/**
 * Makes a graph of a trace. The first `size` inputs of the trace are the state, its first `size` results the next one: each is
 * a resource variable that a run reads before anything else, and assigns to before it hands out a result.
 */
export function planOf(binding: Binding, trace: Trace, size: number): Plan {
  const { TF_ATTR_TYPE, TF_ATTR_SHAPE, TF_ATTR_STRING, TF_INT32 } = binding;
  const nodes: GraphNode[] = [];
  const add = (name: string, op: string, inputs: string[], ...attrs: OpAttr[]) => {
    nodes.push({ name, op, inputs, attrs, outputs: [] });
    return name;
  };
  const type = (name: string, value: number): OpAttr => ({ name, type: TF_ATTR_TYPE, value });
  const dtypeAndShape = ({ dtype, shape }: Feed): OpAttr[] => [
    type('dtype', dtype),
    { name: 'shape', type: TF_ATTR_SHAPE, value: shape },
  ];
  const done = (name: string, after: string[]) => {
    const inputs = after.map((node) => `^${node}`);
    const outputs = [{ dtype: TF_INT32, shape: [] }];
    nodes.push({ name, op: 'Const', inputs, attrs: [], outputs, bytes: new Uint8Array(4) });
    return name;
  };
  /**
   * What is fed shares its memory with JavaScript, which has to be told on its own thread when TensorFlow lets go of it. A resource variable
   * lets go of its value when it gets another, on any thread: so nothing that was fed may end up in one.
   */
  const copy = (name: string, fed: Feed) => {
    const placeholder = add(`${name}_fed`, 'Placeholder', [], ...dtypeAndShape(fed));
    add(name, 'DeepCopy', [placeholder], type('T', fed.dtype));
    return placeholder;
  };

  const fed = trace.feeds.slice(size);
  const feeds = fed.map((each) =>
    size > 0 ? copy(each.name, each) : add(each.name, 'Placeholder', [], ...dtypeAndShape(each)),
  );
  const stateFeeds: string[] = [];
  const starts: string[] = [];
  const values = trace.feeds.slice(0, size).map((each, i) => {
    const name = `state_${i}`;
    const shared = { name: 'shared_name', type: TF_ATTR_STRING, value: name };
    add(name, 'VarHandleOp', [], ...dtypeAndShape(each), shared);
    stateFeeds.push(copy(`${name}_start`, each));
    starts.push(add(`${name}_set`, 'AssignVariableOp', [name, `${name}_start`], type('dtype', each.dtype)));
    return add(each.name, 'ReadVariableOp', [name], type('dtype', each.dtype));
  });
  nodes.push(...trace.nodes);

  const refOf = (result: Result) => ('ref' in result ? result.ref : (trace.feeds[result.feed] as Feed).name);
  const dtypeOf = (result: Result) => ('ref' in result ? result : (trace.feeds[result.feed] as Feed)).dtype;
  // A variable is updated only when its old value has been read, by all that need it.
  const read = values.map((value) => `^${value}`);
  const updated = new Set<number>();
  const updates: string[] = [];
  for (const { op, before, after, inputs } of trace.updates) {
    const at = before.map((ref) => values.indexOf(ref));
    const isNext = at.every((i, j) => {
      const next = i >= 0 && !updated.has(i) && trace.results[i];
      return next && 'ref' in next && next.ref === after[j];
    });
    if (!isNext || new Set(at).size < at.length) continue;
    const dtype = type('T', (trace.feeds[at[0] as number] as Feed).dtype);
    const handles = at.map((i) => `state_${i}`);
    updates.push(
      add(
        `update_${updates.length}`,
        op,
        [...handles, ...inputs, ...at.map((i) => read[i] as string)],
        dtype,
      ),
    );
    for (const i of at) updated.add(i);
  }
  for (const i of values.keys()) {
    const next = trace.results[i] as Result;
    if (updated.has(i) || ('feed' in next && next.feed === i)) continue;
    const inputs = [`state_${i}`, refOf(next), read[i] as string];
    updates.push(add(`state_${i}_next`, 'AssignVariableOp', inputs, type('dtype', dtypeOf(next))));
  }

  const fetches: string[] = [];
  const fetched = new Map<Result, number>();
  const fetch = (result: Result) => {
    const known = fetched.get(result);
    if (known !== undefined) return known;
    const inputs = [refOf(result), ...updates.map((name) => `^${name}`)];
    fetched.set(result, fetches.length);
    return fetches.push(add(`output_${fetches.length}`, 'Identity', inputs, type('T', dtypeOf(result)))) - 1;
  };
  const results = trace.results.slice(size).map((result): Plan['results'][number] => {
    if ('feed' in result && result.feed >= size) return { feed: result.feed - size };
    return { fetch: fetch(result), kept: 'ref' in result && result.kept };
  });
  const assigned = trace.assigned.map(({ feed, ...result }) => ({ feed: feed - size, fetch: fetch(result) }));
  if (fetches.length === 0 && updates.length > 0) fetches.push(done('done', updates));
  const ready = size > 0 ? done('ready', starts) : '';
  const consumed = trace.consumed.map((feed) => feed - size).filter((feed) => feed >= 0);
  return {
    nodes,
    feeds,
    fetches,
    results,
    assigned,
    consumed,
    state: { size, feeds: stateFeeds, ready, values },
  };
}
