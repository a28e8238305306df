import * as tf from '@tensorflow/tfjs';
import type { Op, Value, Way } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';

/** The groups of a value that are the same for every example. */
export interface Constants {
  readonly is: readonly boolean[];
  /** What each is, where it is the same at every position. */
  readonly values: Float64Array;
  /** Whether it is the same at every position, up to float32 rounding. */
  readonly even: readonly boolean[];
  /** All of the value, without the batch; meaningless where groups are not constant. */
  readonly all: Float32Array;
}

/**
 * What becomes of the groups that noise has set to 0, or that have no weights left. Values without such groups have no entry.
 *
 * Running the model's own layers rather than restating them covers every activation, pooling and padding alike.
 */
export function constantsOf({ ops }: OpGraph): ReadonlyMap<Value, Constants> {
  const known = new Map<Value, Constants>();
  for (const op of ops) {
    const constants = constantsBehind(op, known);
    if (constants) known.set(op.outputs[0]!, constants);
  }
  return known;
}

function constantsBehind(op: Op, known: ReadonlyMap<Value, Constants>): Constants | undefined {
  const [output] = op.outputs as [Value];
  const sparsity = op.linear?.sparsity;
  if (sparsity) {
    if (sparsity.alive.every(Boolean)) return undefined;
    const is = sparsity.alive.map((alive) => !alive);
    const all = tf.tidy(() => {
      const bias = along(output, Float32Array.from(sparsity.bias));
      return tf
        .zeros([...output.shape])
        .add(bias)
        .dataSync() as Float32Array;
    });
    return describe(output, is, all);
  }
  const { noise, run } = op;
  if (!run) return undefined;
  const inputs = op.inputs.map((value) => known.get(value));
  const drowned = noise && Array.from(noise.multiplier, (m) => m === 0);
  if (!inputs.some(Boolean) && !drowned?.some(Boolean)) return undefined;
  const sources = op.ways.map((way, k) => sourcesOf(way, inputs[k]));
  const is = Array.from({ length: output.groups }, (_, o) => {
    if (drowned?.[o]) return true;
    const states = sources.map((source) => source(o));
    if (op.absorbs0 && states.some((state) => state === 'zero')) return true;
    const taken = states.filter((state) => state !== 'none');
    return taken.length > 0 && taken.every((state) => state !== 'varies');
  });
  if (!is.some(Boolean)) return undefined;
  if (noise && !inputs.some(Boolean)) return zeros(output, is);
  const all = tf.tidy(() => {
    const xs = op.inputs.map((value, k) =>
      inputs[k] ? tf.tensor(inputs[k].all, [1, ...value.shape]) : tf.zeros([1, ...value.shape]),
    );
    return run(xs).dataSync() as Float32Array;
  });
  return describe(output, is, all);
}

/** What noise makes of groups that are no constants before it. */
function zeros({ groups, shape }: Value, is: readonly boolean[]): Constants {
  const all = new Float32Array(shape.reduce((p, d) => p * d, 1));
  return { is, values: new Float64Array(groups), even: is.map(() => true), all };
}

type State = 'none' | 'varies' | 'constant' | 'zero';

/** What an input gives to each output index. */
function sourcesOf(way: Way, constants: Constants | undefined): (o: number) => State {
  const stateOf = (i: number): State => {
    if (!constants?.is[i]) return 'varies';
    return constants.even[i] && constants.values[i] === 0 ? 'zero' : 'constant';
  };
  if (way.kind === 'passed') return (o) => (way.from[o]! < 0 ? 'none' : stateOf(way.from[o]!));
  const only = way.kind === 'spread' ? stateOf(0) : 'varies';
  return () => only;
}

function describe(value: Value, is: readonly boolean[], all: Float32Array): Constants {
  const { groups } = value;
  const inner = value.shape.slice(value.axis + 1).reduce((p, d) => p * d, 1);
  const low = new Float64Array(groups).fill(Infinity);
  const high = new Float64Array(groups).fill(-Infinity);
  for (let i = 0; i < all.length; i++) {
    const group = Math.floor(i / inner) % groups;
    low[group] = Math.min(low[group]!, all[i]!);
    high[group] = Math.max(high[group]!, all[i]!);
  }
  const values = low.map((least, group) => (least + high[group]!) / 2);
  const even = Array.from(values, (middle, group) => high[group]! - low[group]! <= 1e-6 * Math.abs(middle));
  return { is, values, even, all };
}

/** One number a group, in a shape that repeats along the value's other axes. */
function along({ shape, axis }: Value, numbers: Float32Array): tf.Tensor {
  return tf.tensor(
    numbers,
    shape.map((size, i) => (i === axis ? size : 1)),
  );
}
