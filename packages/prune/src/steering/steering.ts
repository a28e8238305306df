import { PruneError } from '../errors.js';

/** What steering knows; plain data, to be kept with a checkpoint. */
export interface SteeringState {
  /** Logarithm of the KL's scale. */
  readonly logScale: number;
  /** Logarithms of the budget's edge at the first call, and at the last. */
  readonly first: number;
  readonly last: number;
  /** At the last call. */
  readonly progress: number;
}

export interface SteeringOptions {
  /** The KL's scale at which what has to go is expected to drown, as `expectedKlScale` has it. Default 1, for weights of 1 in the mean, as `weighKl` gives them. */
  readonly expected?: number;
  /** Progress, 0 to 1, at which the target is to be reached; what is left of the training is for the weights to make up for it. Default 0.6. */
  readonly until?: number;
}

/**
 * Steers the KL's scale.
 *
 * @param state of the call before; undefined at the first
 * @param progress of the noise's training, 0 to 1
 * @param edge as `budgetOf` has it now
 * @param most that the scale may be now, such as the budget's `scaleFor` says; default: no limit
 * @returns the KL's scale from now on
 */
export type Steering = (
  state: SteeringState | undefined,
  progress: number,
  edge: number,
  most?: number,
) => { scale: number; state: SteeringState };

/** In units of progress: how far ahead of now the edge is looked at, by how fast it moves. */
const AHEAD = 0.05;
/** What the scale's logarithm changes by in a unit of progress for the edge's being off the line by 1, and at most; it falls faster than it rises, for what has drowned seldom comes back. */
const GAIN = 30;
const RATES = { up: 40, down: 80 };
/** How far the logarithm may go from where it begins, so that it does not run away where nothing can drown. */
const LIMITS = { down: 7, up: 20 };
/** Of the edge's logarithm: drowned is drowned. */
const DEEPEST = -1;

/**
 * Steers the KL's scale so that what has to go for a target drowns in time: the logarithm of its edge, how many times its threshold the SNR of the last group is that has to go, falls to 0 along a line, and stays there.
 *
 * While weights stay as they are, noise comes to rest where σ² is in proportion to scale over Fisher information. So the scale begins as far below what is expected as the edge's square is above 1, and rises by equal factors in
 * equal times: then groups drown in the order of what they are worth. A scale that is too high moves all of them alike, whatever they are worth, and Adam remembers its gradients for a thousand steps. Where the edge is
 * off the line, the scale is changed at a limited rate. The edge shows what it does from the first step; what is left at the thresholds does not before it is too late.
 *
 * @throws PruneError for settings that cannot be used
 */
export function steering({ expected = 1, until = 0.6 }: SteeringOptions = {}): Steering {
  const check = (name: string, value: number, most: number) => {
    if (!(value > 0 && value <= most))
      throw new PruneError(`steering: ${name} is ${value}; expected a number above 0 and at most ${most}`);
  };
  check('expected', expected, Number.MAX_VALUE);
  check('until', until, 1);
  const within = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));
  return (before, progress, edge, most = Number.POSITIVE_INFINITY) => {
    const last = Math.max(DEEPEST, Math.log(edge));
    const above = Math.max(0, before?.first ?? last);
    const begun = Math.log(expected) - 2 * above;
    const state = before ?? { logScale: begun, first: last, last, progress };
    const passed = progress - state.progress;
    if (!(passed > 0)) return { scale: Math.exp(state.logScale), state };
    const ahead = progress + AHEAD;
    const off = last + (AHEAD * (last - state.last)) / passed - above * Math.max(0, 1 - ahead / until);
    const onLine = progress < until ? (2 * above) / until : 0;
    const change = passed * within(onLine + GAIN * off, -RATES.down, RATES.up);
    const upTo = Math.min(begun + LIMITS.up, Math.log(most));
    const logScale = within(state.logScale + change, begun - LIMITS.down, upTo);
    return { scale: Math.exp(logScale), state: { ...state, logScale, last, progress } };
  };
}
