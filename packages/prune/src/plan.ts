import type { ChannelSet } from './channel-sets.js';
import { type Constants, constantsOf } from './constants.js';
import { type Grouping, groupingsOf } from './groupings.js';
import type { Step } from './steps.js';

/** What is to become of a set's units. */
export interface Plan {
  readonly set: ChannelSet;
  readonly groupings: readonly Grouping[];
  /** Units that the reader is to do without; what constant they leave is in `constants`. */
  readonly removed: readonly boolean[];
  readonly constants: Constants;
  /** Units at 0 that stay nevertheless, and why. */
  readonly stays: ReadonlyMap<number, string>;
}

/**
 * Decides which units go; a set that no method has anything to say about has no plan. From the last set to the first, because an input that only
 * removed outputs read goes with them.
 */
export function planSets(steps: readonly Step[], sets: readonly ChannelSet[]): Plan[] {
  const plans: Plan[] = [];
  let isKept = (_output: number) => true;
  for (const set of [...sets].reverse()) {
    const plan = planSet(steps, set, isKept);
    if (plan) plans.unshift(plan);
    const kept = plan && keptBy(plan, set.maker);
    isKept = (output) => kept?.has(output) ?? true;
  }
  return plans;
}

/** The indices of a step's output that have a unit left. */
export function keptBy({ set, removed }: Pick<Plan, 'set' | 'removed'>, step: number): Set<number> {
  return new Set(removed.flatMap((isRemoved, unit) => (isRemoved ? [] : [set.at(step, unit)])));
}

function planSet(
  steps: readonly Step[],
  set: ChannelSet,
  isKept: (readersOutput: number) => boolean,
): Plan | undefined {
  const groupings = groupingsOf(steps, set);
  if (groupings.length === 0) return undefined;
  const noises = groupings.filter(({ isNoise }) => isNoise);
  const made = steps[set.maker]!.linear?.sparsity;
  const read = set.reader === undefined ? undefined : steps[set.reader]!.linear?.sparsity?.reads(isKept);
  const unitIndices = Array.from({ length: set.units }, (_, u) => u);
  const isRead = (u: number) => read?.[u] ?? true;
  const constants = constantsOf(steps, set);
  // nothing multiplies it
  for (const u of unitIndices) if (!isRead(u)) constants.values[u] = 0;
  const stays = new Map<number, string>();
  const removed = unitIndices.map((u) => {
    if (!isRead(u)) return true;
    const isMade = made?.alive[set.at(set.maker, u)] ?? true;
    if (isMade && noises.every(({ step, alive }) => alive[set.at(step, u)])) return false;
    const reason = whyStays(steps, set, constants, u);
    if (reason !== undefined) stays.set(u, reason);
    return reason === undefined;
  });
  if (removed.every(Boolean)) {
    const worth = (u: number) =>
      Math.min(...noises.map(({ step }) => steps[step]!.noise!.snr[set.at(step, u)]!));
    const best = unitIndices.reduce((a, b) => (worth(b) > worth(a) ? b : a));
    removed[best] = false;
    stays.set(
      best,
      noises.length > 0
        ? 'between them, the noises set every one to 0, so the best one stays, at 0 as in the noisy model'
        : 'every one is at 0, and a layer needs one',
    );
  }
  return { set, groupings, removed, constants, stays };
}

/** Why a unit at 0 can't be removed exactly; undefined where it can. */
function whyStays(
  steps: readonly Step[],
  { reader }: ChannelSet,
  { values, even }: Constants,
  unit: number,
): string | undefined {
  if (reader === undefined) return `they are the model's output`;
  const { name, linear, inShape } = steps[reader]!;
  if (!linear) return `'${name}', which reads them, needs its whole input`;
  const vector = inShape.length === 1;
  if (vector || (values[unit] === 0 && even[unit])) return undefined;
  if (!even[unit]) return `the constant that they leave varies with position when '${name}' reads it`;
  if (linear.padded) {
    return `they leave a constant other than 0, which 'same' padding in '${name}' would show at the edges`;
  }
  return undefined;
}

/** Nothing goes: every group stays, those at 0 included. */
export function keepAll(steps: readonly Step[], set: ChannelSet): Plan | undefined {
  const groupings = groupingsOf(steps, set);
  if (groupings.length === 0) return undefined;
  const removed = Array.from({ length: set.units }, () => false);
  return { set, groupings, removed, constants: { values: new Float64Array(), even: [] }, stays: new Map() };
}
