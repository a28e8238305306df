import type { Plan } from './plan.js';
import type { PerIndex, Step } from './steps.js';

/**
 * Moves the multipliers of noise step `at` into the nearest weights that can take them: back through homogeneous steps
 * to what made the groups, else forward to what reads them, else into a layer that stands in for the noise.
 *
 * @returns the name of the stand-in, if it came to that
 */
export function foldMultipliers(
  steps: readonly Step[],
  { set, removed }: Plan,
  at: number,
): string | undefined {
  const { multiplier, standIn } = steps[at]!.noise!;
  const gone = goneAt(steps, set, removed, at);
  if (foldBack(steps, set.maker, at, multiplier, gone) || foldOn(steps, at, multiplier)) return undefined;
  standIn(multiplier);
  return steps[at]!.name;
}

/** Which indices of a step's output have no unit left. */
export function goneAt(
  steps: readonly Step[],
  set: Plan['set'],
  removed: readonly boolean[],
  step: number,
): boolean[] {
  const gone = Array.from({ length: steps[step]!.outShape.at(-1)! }, () => true);
  removed.forEach((isRemoved, unit) => {
    if (!isRemoved) gone[set.at(step, unit)] = false;
  });
  return gone;
}

function foldBack(
  steps: readonly Step[],
  maker: number,
  at: number,
  multiplier: PerIndex,
  gone: readonly boolean[],
): boolean {
  let [factors, dropped] = [multiplier, gone];
  for (let i = at - 1; i >= maker; i--) {
    const { scaleOut, homogeneous, source, inShape } = steps[i]!;
    if (scaleOut) {
      scaleOut(factors);
      return true;
    }
    if (!homogeneous || !source) return false;
    const merged = merge(factors, dropped, source, inShape.at(-1)!);
    if (!merged) return false;
    ({ factors, dropped } = merged);
  }
  return false;
}

/** Factors of a step's input that do what these of its output do: there are some where units of one channel agree. */
function merge(factors: PerIndex, dropped: readonly boolean[], source: (i: number) => number, size: number) {
  const merged = new Float64Array(size).fill(Number.NaN);
  for (let i = 0; i < factors.length; i++) {
    const from = source(i);
    if (dropped[i]) continue;
    if (!Number.isNaN(merged[from]!) && merged[from] !== factors[i]) return undefined;
    merged[from] = factors[i]!;
  }
  const none = Array.from(merged, Number.isNaN);
  return { factors: merged.map((x) => (Number.isNaN(x) ? 0 : x)), dropped: none };
}

function foldOn(steps: readonly Step[], at: number, multiplier: PerIndex): boolean {
  let factors = multiplier;
  for (let i = at + 1; i < steps.length; i++) {
    const { scaleIn, homogeneous, source, outShape } = steps[i]!;
    if (scaleIn) {
      scaleIn(factors);
      return true;
    }
    if (!homogeneous || !source) return false;
    const before = factors;
    factors = Array.from({ length: outShape.at(-1)! }, (_, o) => before[source(o)]!);
  }
  return false;
}
