import type { Op, PerIndex, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';

/** Weights that are to take multipliers. */
export interface Target {
  readonly op: Op;
  readonly side: 'scaleIn' | 'scaleOut';
  readonly factors: PerIndex;
}

/**
 * Moves the multipliers of all noise into the nearest weights that can take them: back to what made the groups, else forward to everything that reads
 * them, else into a layer that stands in for the noise.
 *
 * @returns the noises that came to that
 */
export function foldMultipliers({ ops }: OpGraph): Set<Op> {
  const standIns = new Set<Op>();
  const waiting = new Map<Op['layer'], Op[]>();
  // noise along another axis than the groups' is multiplied where it stands, or behind
  const backOf = ({ inputs, ways, noise }: Op) =>
    ways[0]!.kind === 'passed' ? targetsBehind(inputs[0]!, noise!.multiplier) : undefined;
  const onOf = ({ outputs, noise }: Op) => targetsAhead(outputs[0]!, noise!.multiplier);
  for (const op of ops) {
    if (!op.noise) continue;
    if (applyTargets(backOf(op)) || applyTargets(onOf(op))) continue;
    waiting.set(op.layer, [...(waiting.get(op.layer) ?? []), op]);
  }
  // What several places share can take what all of them ask for.
  for (const group of waiting.values()) {
    if (applyTargets(allOf(group, backOf)) || applyTargets(allOf(group, onOf))) continue;
    for (const op of group) {
      op.noise!.standIn(op.noise!.multiplier);
      standIns.add(op);
    }
  }
  return standIns;
}

function allOf(group: readonly Op[], targetsOf: (op: Op) => Target[] | undefined): Target[] | undefined {
  const targets = group.map(targetsOf);
  return targets.includes(undefined) ? undefined : (targets as Target[][]).flat();
}

/** Multiplies, if all weights can take it: those that several operations share where each of them asks for the same. */
export function applyTargets(found: readonly Target[] | undefined): boolean {
  const targets = found && onceEach(found);
  if (!targets?.every((target) => isAgreed(target, targets))) return false;
  const done = new Set<string>();
  const numbers = new Map<Op, number>();
  for (const { op, side, factors } of targets) {
    const [first] = op.twins as [Op];
    if (!numbers.has(first)) numbers.set(first, numbers.size);
    const key = `${numbers.get(first)} ${side}`;
    if (done.has(key)) continue;
    done.add(key);
    op[side]!(factors);
  }
  return true;
}

/** All that one operation is asked for as one: it may read a set's groups several times, side by side. */
function onceEach(targets: readonly Target[]): Target[] {
  const combined: Target[] = [];
  for (const target of targets) {
    const at = combined.findIndex(({ op, side }) => op === target.op && side === target.side);
    const known = combined[at];
    if (!known) combined.push(target);
    else
      combined[at] = {
        ...known,
        factors: Float64Array.from(known.factors, (f, i) => f * target.factors[i]!),
      };
  }
  return combined;
}

function isAgreed({ op, side, factors }: Target, targets: readonly Target[]): boolean {
  const asked = targets.filter((other) => other.side === side && op.twins.includes(other.op));
  return (
    asked.length === op.twins.length &&
    new Set(asked.map((other) => other.op)).size === op.twins.length &&
    asked.every((other) => sameNumbers(other.factors, factors))
  );
}

const sameNumbers = (a: PerIndex, b: PerIndex) =>
  a.length === b.length && Array.prototype.every.call(a, (x: number, i: number) => x === b[i]);

/** What has to be multiplied for a value to be, if it reaches but one reader; nothing where that can't be. */
export function targetsBehind(value: Value, factors: PerIndex): Target[] | undefined {
  const { maker } = value;
  if (!maker || value.isOutput || value.readers.length > 1) return undefined;
  if (maker.scaleOut) return [{ op: maker, side: 'scaleOut', factors }];
  if (!maker.homogeneous || maker.ways.some(({ kind }) => kind === 'whole')) return undefined;
  const singly = maker.homogeneous === 'singly';
  const targets: Target[] = [];
  for (const [k, way] of maker.ways.entries()) {
    const merged = way.kind === 'passed' && merge(factors, way.from, maker.inputs[k]!.groups);
    const found = merged ? targetsBehind(maker.inputs[k]!, merged) : undefined;
    if (singly && found) return found;
    if (!singly && !found) return undefined;
    if (found) targets.push(...found);
  }
  return singly ? undefined : targets;
}

/** Factors of an input that do what these of the output do: there are some where units of one group agree. */
function merge(factors: PerIndex, from: Int32Array, groups: number): Float64Array | undefined {
  const merged = new Float64Array(groups).fill(Number.NaN);
  for (let o = 0; o < from.length; o++) {
    const i = from[o]!;
    if (i < 0) continue;
    if (!Number.isNaN(merged[i]!) && merged[i] !== factors[o]) return undefined;
    merged[i] = factors[o]!;
  }
  return merged.map((x) => (Number.isNaN(x) ? 1 : x));
}

/** What has to be multiplied for all that reads a value to take it as multiplied; nothing where that can't be. */
export function targetsAhead(value: Value, factors: PerIndex): Target[] | undefined {
  if (value.isOutput) return undefined;
  const targets: Target[] = [];
  for (const { op, input } of value.readers) {
    const found = targetsAt(op, input, factors);
    if (!found) return undefined;
    targets.push(...found);
  }
  return targets;
}

/** {@link targetsAhead}, for one reader. */
export function targetsAt(op: Op, input: number, factors: PerIndex): Target[] | undefined {
  if (op.scaleIn && input === 0) return [{ op, side: 'scaleIn', factors }];
  const passed = passedOn(op, input, factors);
  return passed && targetsAhead(op.outputs[0]!, passed);
}

/** The factors of an output, where those of an input are all that it is multiplied by. */
function passedOn(op: Op, input: number, factors: PerIndex): PerIndex | undefined {
  const way = op.ways[input]!;
  if (!op.homogeneous || way.kind !== 'passed') return undefined;
  const { groups } = op.outputs[0]!;
  const isAlone = (o: number) =>
    op.ways.every((other, k) => k === input || (other.kind === 'passed' && other.from[o]! < 0));
  const all = Array.from({ length: groups }, (_, o) => o);
  if (op.homogeneous === 'jointly' && !all.every((o) => way.from[o]! < 0 || isAlone(o))) return undefined;
  return all.map((o) => (way.from[o]! < 0 ? 1 : factors[way.from[o]!]!));
}
