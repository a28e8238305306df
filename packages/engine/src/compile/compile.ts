import * as tf from '@tensorflow/tfjs';
import { currentNodeBackend, type NodeBackend } from '../tensorflow-ops/node-backend.js';
import { registerTensorflowOps } from '../tensorflow-ops/register.js';
import { callTidily } from './call.js';
import { assertSame, type Fingerprint, fingerprintOf } from './compare.js';
import { CompileError } from './error.js';
import { type Plan, planOf } from './plan.js';
import { openSession, type Session } from './session.js';
import { stateCell } from './state.js';
import { NotTensors, putTogether, type Structure, signatureOf, takeApart } from './structure.js';
import { type Trace, trace } from './trace.js';
import { isTracing } from './tracing.js';

/** One for each combination of input shapes and dtypes. */
interface Graph {
  plan: Plan;
  session: Session;
  structure: Structure;
  fingerprint: Fingerprint;
  calls: number;
}

/** A compiled function that nobody can reach any more frees its graphs like one that was disposed of. */
const forgotten = new FinalizationRegistry<Set<Session>>((sessions) => {
  for (const session of sessions) session.close();
});

export interface CompileOptions {
  /**
   * Variables that the function reads, or assigns to, without having them as arguments, such as the weights of a `LayersModel`. Each call takes
   * their values of that moment, and gives those that the function assigns to their new ones.
   */
  variables?: Iterable<tf.Variable>;
}

/** A function that runs as one graph; call it like the one it was made of. */
export interface Compiled<In extends readonly unknown[], Out> {
  (...inputs: In): Out;
  /** Frees its graphs, and its state if it has one. */
  dispose(): void;
}

export interface CompiledWithState<State, In extends readonly unknown[], Out> extends Compiled<In, Out> {
  /** The state after the last call, as new tensors, which are yours to dispose of. */
  state(): State;
  /** Goes on from another state, of the same shapes. The tensors stay yours. */
  setState(state: State): void;
}

/**
 * Turns a pure function of tensors (a training step with its gradients and optimizer, a model's inference) into one call.
 *
 * On the tensorflow engine the function is run once for each new combination of input shapes and dtypes, what it does is recorded, and
 * from then on the record is run as one TensorFlow graph. On every other engine, while another compiled function is traced and inside of
 * `tf.grads` and its like, the function runs as it is, inside `tf.tidy`. What comes out is the same.
 *
 * The function must depend on its arguments alone. Numbers that JavaScript computes are frozen into the graph, so what changes from call to call
 * (noise, a learning rate, a step's number) must be a tensor among the arguments. The function is called twice at first, and again at the
 * 2nd, 10th, 100th … call, to see that it does the same each time.
 *
 * @param fn takes tensors, or arrays and plain objects of them, and gives such; it is not async
 * @throws CompileError, when it is called, for what a graph can't do; its message names the operation and the line
 */
export function compile<In extends readonly unknown[], Out>(
  fn: (...inputs: In) => Out,
  options?: CompileOptions & { state?: undefined },
): Compiled<In, Out>;
/**
 * With a state, such as weights and an optimizer's moments, which stays inside the graph between calls: `fn(state, ...inputs)` gives
 * `{ state: next, ...results }`, the compiled function takes the inputs and gives the results.
 *
 * @param options.state the initial state; the tensors stay yours
 */
export function compile<State, In extends readonly unknown[], Out extends { readonly state: unknown }>(
  fn: (state: State, ...inputs: In) => Out,
  options: CompileOptions & { state: State },
): CompiledWithState<State, In, Omit<Out, 'state'>>;
export function compile(
  fn: (...inputs: never[]) => unknown,
  options: CompileOptions & { state?: unknown } = {},
): Compiled<unknown[], unknown> & Partial<CompiledWithState<unknown, unknown[], unknown>> {
  const variables = [...new Set(options.variables)];
  const state = options.state === undefined ? undefined : stateCell(options.state);
  const size = state?.size ?? 0;
  const graphs = new Map<string, Graph>();
  const sessions = new Set<Session>();
  let disposed = false;

  /** The function of all tensors that come in, state first, that gives the next state first. */
  const flat = (args: Structure) => (leaves: readonly tf.Tensor[]) => {
    const inputs = putTogether(args, leaves.slice(size)) as never[];
    if (!state) return fn(...inputs);
    const result = fn(state.arrange(leaves.slice(0, size)) as never, ...inputs);
    if (result === null || typeof result !== 'object' || !('state' in result)) {
      throw new CompileError(
        'state',
        'a function with a state gives an object with the next one as its `state`.',
      );
    }
    const { state: next, ...rest } = result;
    return [state.check(next, 'the next state'), rest];
  };

  const asItIs = (args: Structure, inputs: readonly tf.Tensor[]) => {
    const before = state?.values() ?? [];
    const { structure, leaves } = callTidily(() => flat(args)([...before, ...inputs]));
    state?.set(leaves.slice(0, size));
    const theirs = new Set([...inputs, ...leaves.slice(size)]);
    for (const tensor of [...before, ...leaves.slice(0, size)]) if (!theirs.has(tensor)) tensor.dispose();
    return putTogether(resultIn(structure, state !== undefined), leaves);
  };

  const traced = (backend: NodeBackend, args: Structure, inputs: readonly tf.Tensor[]) => {
    const before = state?.values() ?? [];
    try {
      return trace(backend, flat(args), [...before, ...inputs], variables);
    } finally {
      for (const tensor of before) tensor.dispose();
    }
  };

  const again = (
    before: Fingerprint,
    backend: NodeBackend,
    args: Structure,
    inputs: readonly tf.Tensor[],
  ) => {
    let now: Trace;
    try {
      now = traced(backend, args, inputs);
    } catch (error) {
      if (error instanceof CompileError) throw error;
      const message = `the function throws when it is called again with inputs of the same shapes (does it keep a tensor from one call for the next?): ${(error as Error).message}.`;
      throw new CompileError('differs', message, { cause: error });
    }
    assertSame(before, now);
  };

  const newGraph = (backend: NodeBackend, args: Structure, inputs: readonly tf.Tensor[]): Graph => {
    registerTensorflowOps();
    const first = traced(backend, args, inputs);
    const fingerprint = fingerprintOf(first);
    again(fingerprint, backend, args, inputs);
    const plan = planOf(backend.binding, first, size);
    const session = openSession(backend, plan);
    sessions.add(session);
    return {
      plan: { ...plan, nodes: [] },
      session,
      structure: resultIn(first.structure, state !== undefined),
      fingerprint,
      calls: 0,
    };
  };

  const asGraph = (backend: NodeBackend, args: Structure, inputs: readonly tf.Tensor[]) => {
    const key = signatureOf(args, inputs);
    const graph = graphs.get(key) ?? newGraph(backend, args, inputs);
    graphs.set(key, graph);
    graph.calls++;
    if (isChecked(graph.calls)) again(graph.fingerprint, backend, args, inputs);
    const { plan, session, structure } = graph;
    const fed = [...inputs, ...variables];
    let fetched: tf.Tensor[];
    try {
      state?.moveInto(session);
      fetched = session.run(fed);
    } catch (error) {
      // What the function itself throws says more.
      traced(backend, args, inputs);
      const message = `TensorFlow can't run the graph: ${(error as Error).message}`;
      throw new CompileError('graph', message, { cause: error });
    }
    const results = plan.results.map((result) => {
      if ('feed' in result) return fed[result.feed] as tf.Tensor;
      const tensor = fetched[result.fetch] as tf.Tensor;
      return result.kept ? tf.keep(tensor) : tensor;
    });
    for (const { feed, fetch } of plan.assigned) {
      (fed[feed] as tf.Variable).assign(fetched[fetch] as tf.Tensor);
    }
    for (const tensor of fetched) if (!results.includes(tensor)) tensor.dispose();
    for (const feed of plan.consumed) fed[feed]?.dispose();
    return putTogether(structure, [...Array(size), ...results]);
  };

  const compiled = (...given: unknown[]) => {
    if (disposed) throw new CompileError('disposed', 'a compiled function was called after its dispose().');
    const { structure: args, leaves: inputs } = argumentsOf(given);
    const backend = currentNodeBackend();
    // A graph's run is not on the tape that tfjs works gradients out from.
    const onTape = tf.engine().state.gradientDepth > 0;
    if (isTracing() && state) {
      throw new CompileError(
        'state',
        'a compiled function with a state was called inside of another compiled function.',
      );
    }
    return backend && !onTape && !isTracing() ? asGraph(backend, args, inputs) : asItIs(args, inputs);
  };
  forgotten.register(compiled, sessions, sessions);
  return Object.assign(compiled, {
    dispose() {
      disposed = true;
      forgotten.unregister(sessions);
      for (const session of sessions) session.close();
      sessions.clear();
      graphs.clear();
      state?.dispose();
    },
    ...(state && {
      state: () => state.arrange(state.values()),
      setState: (value: unknown) => state.set(state.check(value, 'the new state')),
    }),
  });
}

/** Where a function with a state gives what its caller sees; `flat` puts the next state before it. */
function resultIn(structure: Structure, stateful: boolean): Structure {
  return stateful && structure.kind === 'array' ? (structure.items[1] as Structure) : structure;
}

/** Whether the function is run beside the graph's run number `calls`, to see that it still does the same. */
function isChecked(calls: number): boolean {
  return calls === 2 || (calls > 1 && Number.isInteger(Math.log10(calls)));
}

function argumentsOf(given: readonly unknown[]) {
  try {
    const apart = takeApart(given, 'arguments');
    const disposed = apart.leaves.findIndex((leaf) => leaf.isDisposed);
    if (disposed >= 0)
      throw new CompileError('argument', `the arguments' tensor ${disposed} was disposed of.`);
    return apart;
  } catch (error) {
    if (!(error instanceof NotTensors)) throw error;
    const message = `${error.message}; a compiled function takes tensors (tf.scalar(…) for a number), or arrays and plain objects of them.`;
    throw new CompileError('argument', message);
  }
}
