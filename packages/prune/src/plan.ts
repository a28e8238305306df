import type { ChannelSet } from './channel-sets.js';
import { type Constants, constantsOf } from './constants.js';
import type { Step } from './steps.js';

/** What is to become of a set's units. */
export interface Plan {
  readonly set: ChannelSet;
  /** Units that the reader is to do without; what constant they leave is in `constants`. */
  readonly removed: readonly boolean[];
  readonly constants: Constants;
  /** Units at 0 that stay nevertheless, and why. */
  readonly stays: ReadonlyMap<number, string>;
}

const noisesIn = (steps: readonly Step[], set: ChannelSet) => set.path.filter((i) => steps[i]!.noise);

/** Decides which units go. Undefined for a set without noise. */
export function planSet(steps: readonly Step[], set: ChannelSet): Plan | undefined {
  const noises = noisesIn(steps, set);
  if (noises.length === 0) return undefined;
  const unitIndices = Array.from({ length: set.units }, (_, u) => u);
  const constants = constantsOf(steps, set);
  const stays = new Map<number, string>();
  const removed = unitIndices.map((u) => {
    if (noises.every((i) => steps[i]!.noise!.multiplier[set.at(i, u)] !== 0)) return false;
    const reason = whyStays(steps, set, constants, u);
    if (reason !== undefined) stays.set(u, reason);
    return reason === undefined;
  });
  if (removed.every(Boolean)) {
    const worth = (u: number) => Math.min(...noises.map((i) => steps[i]!.noise!.snr[set.at(i, u)]!));
    const best = unitIndices.reduce((a, b) => (worth(b) > worth(a) ? b : a));
    removed[best] = false;
    stays.set(
      best,
      'between them, the noises set every one to 0, so the best one stays, at 0 as in the noisy model',
    );
  }
  return { set, removed, constants, stays };
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
  if (noisesIn(steps, set).length === 0) return undefined;
  const removed = Array.from({ length: set.units }, () => false);
  return { set, removed, constants: { values: new Float64Array(), even: [] }, stays: new Map() };
}
