import type { Op, PerIndex, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { Plan } from './plan.js';

/** Weights that are to take multipliers. */
export interface Target {
  readonly op: Op;
  readonly side: 'scaleIn' | 'scaleOut';
  readonly factors: PerIndex;
}

/** Where multipliers go. */
export interface Folds {
  readonly targets: readonly Target[];
  /** Noises that no weights can take, and that become a layer. */
  readonly standIns: ReadonlySet<Op>;
}

/**
 * Finds for the multipliers of all noise the nearest weights that can take them: back to what made the groups, else forward to everything that reads
 * them, else a layer that stands in for the noise. Noise that leaves the groups that stay as they are needs none.
 */
export function foldsOf({ ops }: OpGraph, plan: Plan): Folds {
  const targets: Target[] = [];
  const standIns = new Set<Op>();
  const isTaken = (asked: readonly Target[] | undefined) => {
    const agreed = agreedTargets(asked);
    if (agreed) targets.push(...agreed);
    return agreed !== undefined;
  };
  for (const op of ops) {
    if (!op.noise || op.twins[0] !== op || op.twins.every((each) => isOne(each, plan))) continue;
    // what several places share can take what all of them ask for
    if (isTaken(allOf(op.twins, behind)) || isTaken(allOf(op.twins, ahead))) continue;
    for (const each of op.twins) if (!isTaken(behind(each)) && !isTaken(ahead(each))) standIns.add(each);
  }
  return { targets, standIns };
}

const isOne = ({ noise, outputs }: Op, plan: Plan) =>
  plan.present(outputs[0]!).every((group) => noise!.multiplier[group] === 1);

/** Noise along another axis than the groups' is multiplied where it stands, or ahead of it. */
const behind = ({ inputs, ways, noise }: Op) =>
  ways[0]!.kind === 'passed' ? targetsBehind(inputs[0]!, noise!.multiplier) : undefined;
const ahead = ({ outputs, noise }: Op) => targetsAhead(outputs[0]!, noise!.multiplier);

export function allOf<T>(
  all: readonly T[],
  targetsOf: (each: T) => Target[] | undefined,
): Target[] | undefined {
  const targets = all.map(targetsOf);
  return targets.includes(undefined) ? undefined : (targets as Target[][]).flat();
}

/** What is asked, if all weights can take it: those that several operations share where each of them asks for the same, once. */
export function agreedTargets(asked: readonly Target[] | undefined): Target[] | undefined {
  const targets = asked && merged(asked);
  if (!targets?.every((target) => isAgreed(target, targets))) return undefined;
  return targets.filter(({ op }) => op.twins[0] === op);
}

/** Multiplies. */
export function applyTargets(targets: readonly Target[]): void {
  for (const { op, side, factors } of targets) op[side]!(factors);
}

/** Several ways may lead to the same weights. */
function merged(targets: readonly Target[]): Target[] {
  const found: Target[] = [];
  for (const target of targets) {
    const at = found.findIndex(({ op, side }) => op === target.op && side === target.side);
    if (at < 0) found.push(target);
    else
      found[at] = {
        ...target,
        factors: Array.from(target.factors, (f, i) => f * found[at]!.factors[i]!),
      };
  }
  return found;
}

function isAgreed({ op, side, factors }: Target, targets: readonly Target[]): boolean {
  const asked = targets.filter((other) => other.side === side && op.twins.includes(other.op));
  return asked.length === op.twins.length && asked.every((other) => sameNumbers(other.factors, factors));
}

const sameNumbers = (a: PerIndex, b: PerIndex) =>
  a.length === b.length && Array.prototype.every.call(a, (x: number, i: number) => x === b[i]);

/**
 * What has to be multiplied for a value to be; nothing where that can't be.
 *
 * @param readers how many of its readers want it so: anyone else would be wronged
 */
export function targetsBehind(value: Value, factors: PerIndex, readers = 1): Target[] | undefined {
  const { maker } = value;
  if (!maker || value.isOutput || value.readers.length > readers) return undefined;
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
