/** How the learning rate goes over a run. All steps are counted from 0. */
export interface Schedule {
  /** Share of the run, 0 to 1, that the rate rises for, by default. */
  readonly warmup: number;
  /** Factor on the rate at a step of the warm-up, which takes `steps`, not always a whole number. */
  rise(done: number, steps: number): number;
  /**
   * Factor on the rate after it.
   *
   * @param total steps of the whole run
   * @param warm steps of the warm-up
   * @param decayFrom the config's
   */
  fall(done: number, total: number, warm: number, decayFrom: number): number;
}

/** What of the train config says how the rate goes. */
export interface ScheduleSettings {
  schedule: ScheduleName;
  warmup?: number | undefined;
  decayFrom: number;
}

/** By equal steps to the rate itself; the first step has more than none of it. */
const byEqualSteps = (done: number, steps: number) => (done + 1) / (steps + 1);
/** From 1 to 0 along half a cosine. */
const halfCosine = (way: number) => (1 + Math.cos(Math.PI * way)) / 2;
const cosineFall: Schedule['fall'] = (done, total, warm) => halfCosine((done - warm) / (total - warm));

/** By the name that a train config has for it. */
export const schedules = {
  constant: { warmup: 0, rise: byEqualSteps, fall: () => 1 },
  linear: {
    warmup: 0,
    rise: byEqualSteps,
    fall: (done, total, warm, decayFrom) =>
      constantThenLinear(done, total, Math.max(decayFrom, warm / total)),
  },
  cosine: { warmup: 0, rise: byEqualSteps, fall: cosineFall },
  // Smith & Topin 2018; from a 25th of the rate, as PyTorch has it, but with the momentum left as it is
  'one-cycle': {
    warmup: 0.25,
    rise: (done, steps) => 1 - (24 / 25) * halfCosine(done / steps),
    fall: cosineFall,
  },
} satisfies Record<string, Schedule>;

export type ScheduleName = keyof typeof schedules;

export const scheduleNames = Object.keys(schedules) as ScheduleName[];

/** Factor on the learning rate, 0 to 1, after `done` of a run's `total` steps. */
export function scheduleFactor(settings: ScheduleSettings, done: number, total: number): number {
  const schedule: Schedule = schedules[settings.schedule];
  const warm = total * (settings.warmup ?? schedule.warmup);
  return done < warm ? schedule.rise(done, warm) : schedule.fall(done, total, warm, settings.decayFrom);
}

/**
 * Factor on the learning rate: 1 up to `decayFrom` of the run, then linearly to 0 at its end (the paper's schedule).
 *
 * @param done steps taken, 0 at the first
 * @param total steps of the whole run
 * @param decayFrom share of the run, 0 to 1, at constant rate
 */
export function constantThenLinear(done: number, total: number, decayFrom: number): number {
  const start = total * decayFrom;
  return done < start ? 1 : (total - done) / (total - start);
}
