import { foldNoise, type PruneOptions, type PruneReport, pruneModel } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import type { Clock } from '../../measure/clocks.js';
import { UsageError } from '../../words/failure.js';
import { type LayerTimes, type TimeTarget, timesOf, timeTarget } from './layer-times.js';

/** Milliseconds of a call, or a share of those that it takes as it is. */
export type AtMost = { readonly milliseconds: number } | { readonly share: number };

/** A model cut to a time. */
export interface MetLatency {
  model: tf.LayersModel;
  report: PruneReport;
  /** Milliseconds of a call, before the cut and after. */
  before: number;
  reached: number;
  /** What the cut was made by. */
  target: TimeTarget;
}

/** Cuts that are tried at most: first by rates that are measured anew around each, then by those of the last, and more or less of them. */
const ROUNDS = { measured: 4, all: 10 };
/** What is aimed at first, what may be aimed at, and what is close enough, as fractions of what was asked. */
const AIM = { first: 0.98, least: 0.8, most: 1.25 };
const CLOSE = { least: 0.95, most: 1 };

/**
 * Cuts a model so that a call takes so many milliseconds. A layer's time is taken to be in proportion to its multiply-accumulates, at the rate that the runtime has around the cut: measured, cut by,
 * and measured again there, until what the runtime needs is what was asked for.
 *
 * @param most of a call, by the clock
 * @returns of the cuts that were tried, that which came closest, from below rather than from above
 * @throws UsageError where it takes no more as it is, and where what cannot be cut takes longer; PruneError as `pruneModel`
 */
export async function meetLatency(
  model: tf.LayersModel,
  most: AtMost,
  clock: Clock,
  options: Pick<PruneOptions, 'criterion' | 'roundTo' | 'gather'> = {},
): Promise<MetLatency> {
  const whole = foldNoise(model);
  const before = await clock.time(whole);
  const asked = 'share' in most ? most.share * before : most.milliseconds;
  if (before <= asked)
    throw new UsageError(
      `--target latency: the model takes ${shown(before)} ms as it is, no more than ${shown(asked)}; nothing has to be cut.`,
    );
  let times = await timesOf(whole, before, clock);
  let [low, aim, high] = [AIM.least * asked, AIM.first * asked, AIM.most * asked];
  let best: MetLatency | undefined;
  for (let round = 1; round <= ROUNDS.all; round++) {
    if (times.rest >= aim) throw unreachable(asked, before, times);
    const target = { times, atMost: aim - times.rest };
    const { model: cut, report } = pruneModel(model, { target: timeTarget(target), ...options });
    const reached = await clock.time(cut, { model: whole, milliseconds: before });
    const isDone = reached <= CLOSE.most * asked && reached >= CLOSE.least * asked;
    if (round < ROUNDS.measured) {
      if (!isDone) times = await timesOf(cut, reached, clock);
    } else {
      if (reached > asked) high = aim;
      else low = aim;
      aim = (low + high) / 2;
    }
    const isBetter = !best || distance(reached, asked) < distance(best.reached, asked);
    (isBetter ? best?.model : cut)?.dispose();
    if (isBetter) best = { model: cut, report, before, reached, target };
    if (isDone) break;
  }
  whole.dispose();
  return best!;
}

/** What takes too long is worse than what is done too soon. */
const distance = (reached: number, asked: number) =>
  reached > asked ? 2 * (reached / asked - 1) : 1 - reached / asked;

const shown = (milliseconds: number) => Number(milliseconds.toPrecision(3));

const unreachable = (asked: number, before: number, { rest }: LayerTimes) =>
  new UsageError(
    `--target latency: ${shown(asked)} ms can't be reached: of ${shown(before)} ms, ${shown(rest)} are in what no cut takes away.`,
  );
