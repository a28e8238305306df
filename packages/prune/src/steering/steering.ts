import { PruneError } from '../errors.js';

/** What steering knows; plain data, to be kept with a checkpoint. */
export interface SteeringState {
  /** Logarithm of the KL's scale. */
  readonly logScale: number;
  /** As much of it as shows in the share by now. */
  readonly shown: number;
  /** At the last call. */
  readonly progress: number;
}

export interface SteeringOptions {
  /** The share that is to be left, as `budgetOf` says it. */
  readonly asked: number;
  /** The KL's scale at the start: rather too low than too high, for what has drowned seldom comes back. Default 0.05, for weights of 1 in the mean, as `weighKl` gives them. */
  readonly start?: number;
  /** Progress, 0 to 1, at which the target is to be reached; what is left of the training is for the weights to make up for it. Default 0.6. */
  readonly until?: number;
}

/** Steers the KL's scale. */
export interface Steering {
  readonly initial: SteeringState;
  /**
   * The KL's scale from now on.
   *
   * @param progress of the noise's training, 0 to 1
   * @param share what the thresholds would leave now, as a fraction of before
   */
  next(state: SteeringState, progress: number, share: number): { scale: number; state: SteeringState };
}

/** In units of progress: before `begin` nothing can have drowned, and a change of the scale shows `delay` later. */
const TIMES = { begin: 0.15, delay: 0.12 };
/** By how much the share's logarithm falls with the scale's, roughly: less than it does would swing. */
const EFFECT = 0.25;
/** The scale's logarithm changes by at most so much in a unit of progress. */
const RATE = 20;
/** How far the share's logarithm must be off the line for that. */
const FULL = 0.45;
/** How far the logarithm may go from the start: down there, what can come back does. */
const LIMITS = { down: 3, up: 14 };

/**
 * Steers the KL's scale so that the share of a network that noise leaves falls to a target, by equal factors in equal times, and stays there. From the scale to drowned groups it takes a while: compared with the line ahead is
 * the share less what the scale's latest changes will still do to it. Changed is the scale's logarithm, at a limited rate and within limits, so that it does not run away while nothing has drowned yet,
 * or nothing can.
 *
 * @throws PruneError for settings that cannot be used
 */
export function steering({ asked, start = 0.05, until = 0.6 }: SteeringOptions): Steering {
  const check = (name: string, value: number, most: number) => {
    if (!(value > 0 && value <= most))
      throw new PruneError(`steering: ${name} is ${value}; expected a number above 0 and at most ${most}`);
  };
  check('asked', asked, 1);
  check('start', start, Number.MAX_VALUE);
  check('until', until, 1);
  const begin = Math.min(TIMES.begin, until / 2);
  const line = (progress: number) => asked ** Math.min(1, Math.max(0, (progress - begin) / (until - begin)));
  const within = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));
  const first = Math.log(start);
  return {
    initial: { logScale: first, shown: first, progress: 0 },
    next(state, progress, share) {
      const passed = progress - state.progress;
      if (!(passed > 0)) return { scale: Math.exp(state.logScale), state };
      const shown = state.shown + (1 - Math.exp(-passed / TIMES.delay)) * (state.logScale - state.shown);
      const ahead = Math.log(Math.max(share, 0.01 * asked)) - EFFECT * (state.logScale - shown);
      const off = ahead - Math.log(line(progress + TIMES.delay));
      const change = RATE * passed * within(off / FULL, -1, 1);
      const logScale = within(state.logScale + change, first - LIMITS.down, first + LIMITS.up);
      return { scale: Math.exp(logScale), state: { logScale, shown, progress } };
    },
  };
}
