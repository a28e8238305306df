import type { Op, Value, Way } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { Constants } from './constants.js';

/** Which groups of each value the new model has to compute, and why those that are constant. */
export interface Needs {
  isNeeded(value: Value, group: number): boolean;
  /** Why a group at 0 can't be taken out. */
  reason(value: Value, group: number): string | undefined;
}

interface Need {
  readonly needed: Uint8Array;
  readonly reasons: Map<number, string>;
}

/**
 * From the outputs to the inputs, what each operation needs of what it reads. Of every value one group at least: a layer without any is no layer.
 *
 * @param constants of the model's values; none tells what is read at all, whatever it is
 */
export function needsOf(
  { inputs, ops }: OpGraph,
  constants: ReadonlyMap<Value, Constants> | undefined,
): Needs {
  const needs = new Map<Value, Need>();
  const at = (value: Value): Need => {
    let need = needs.get(value);
    if (!need) {
      need = { needed: new Uint8Array(value.groups), reasons: new Map() };
      needs.set(value, need);
    }
    return need;
  };
  const ask = (value: Value, group: number, reason?: string) => {
    const { needed, reasons } = at(value);
    needed[group] = 1;
    if (reason !== undefined && !reasons.has(group)) reasons.set(group, reason);
  };
  const askAll = (value: Value, reason: string) => {
    for (let group = 0; group < value.groups; group++) ask(value, group, reason);
  };
  const worth = worths(inputs, ops);
  /** Behind all of its readers: one that none of them needs keeps its best group. */
  const settle = (value: Value) => {
    if (value.isOutput) askAll(value, "they are the model's output");
    if (!constants || at(value).needed.includes(1)) return;
    const own = worth.get(value)!;
    const best = own.reduce((a, w, group) => (w > own[a]! ? group : a), 0);
    const byNoise = Number.isFinite(own[best]!);
    ask(
      value,
      best,
      byNoise
        ? 'between them, the noises set every one to 0, so the best one stays, at 0 as in the noisy model'
        : 'every one is at 0, and a layer needs one',
    );
  };
  for (const op of [...ops].reverse()) {
    op.outputs.forEach(settle);
    const { needed, reasons } = at(op.outputs[0]!);
    op.ways.forEach((way, k) => {
      const value = op.inputs[k]!;
      if (way.kind === 'whole') askAll(value, `'${op.name}', which reads them, needs its whole input`);
      else if (way.kind === 'spread') ask(value, 0, `'${op.name}' reads it for all of its own`);
      else if (way.kind === 'passed') {
        way.from.forEach((from, o) => {
          if (from < 0 || !needed[o]) return;
          ask(value, from, reasons.get(o) ?? (op.ways.length > 1 ? joined(op) : undefined));
        });
      } else askRows(op, value, way);
    });
  }
  inputs.forEach(settle);

  function askRows(op: Op, value: Value, way: Way & { kind: 'rows' }) {
    const { needed } = at(op.outputs[0]!);
    const sparsity = op.linear?.sparsity;
    const read = sparsity?.reads((o) => !constants || needed[o] === 1);
    for (let group = 0; group < value.groups; group++) {
      if (read && !read[group]) continue;
      const fixed = constants?.get(value)?.is[group];
      const reason = fixed ? whyKept(op, value, group, way.padded) : undefined;
      if (!fixed || reason !== undefined) ask(value, group, reason);
    }
  }

  /** Why a constant can't go into the bias of what reads it; undefined where it can. */
  function whyKept(op: Op, value: Value, group: number, padded: boolean): string | undefined {
    const { values, even } = constants!.get(value)!;
    const constant = values[group]!;
    const alike = op.twins.every((twin) => {
      const other = constants!.get(twin.inputs[0]!);
      return other?.is[group] && other.values[group] === constant;
    });
    if (!alike) return `'${op.name}' reads others elsewhere by the same weights`;
    const isVector = value.shape.length === 1;
    if (!Number.isFinite(constant)) return 'they leave a constant that is not finite';
    if (constant === 0 && even[group]) return undefined;
    if (!op.linear?.foldConstants)
      return `they leave a constant other than 0, and '${op.name}' has no bias that could take it`;
    if (isVector) return undefined;
    if (!even[group]) return `the constant that they leave varies with position when '${op.name}' reads it`;
    if (padded)
      return `they leave a constant other than 0, which 'same' padding in '${op.name}' would show at the edges`;
    return undefined;
  }

  return {
    isNeeded: (value, group) => needs.get(value)?.needed[group] === 1,
    reason: (value, group) => needs.get(value)?.reasons.get(group),
  };
}

const joined = (op: Op) => `'${op.name}' joins them with others that stay`;

/** Of each group, the lowest SNR of the noises that it has passed since it was made. */
function worths(inputs: readonly Value[], ops: readonly Op[]): ReadonlyMap<Value, Float64Array> {
  const worth = new Map<Value, Float64Array>();
  for (const value of inputs) worth.set(value, new Float64Array(value.groups).fill(Infinity));
  for (const op of ops) {
    for (const value of op.outputs) worth.set(value, new Float64Array(value.groups).fill(Infinity));
    const own = worth.get(op.outputs[0]!)!;
    op.ways.forEach((way, k) => {
      if (way.kind !== 'passed') return;
      const from = worth.get(op.inputs[k]!)!;
      way.from.forEach((i, o) => {
        if (i >= 0) own[o] = Math.min(own[o]!, from[i]!);
      });
    });
    const { noise } = op;
    if (noise) for (let o = 0; o < own.length; o++) own[o] = Math.min(own[o]!, noise.snr[o]!);
  }
  return worth;
}
