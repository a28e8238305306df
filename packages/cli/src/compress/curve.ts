import { modelBytes } from '@sbp/model';
import { PruneError, pruneModel } from '@sbp/prune';
import { errorOn } from '@sbp/train';
import type { Clock } from '../measure/clocks.js';
import { criterionFor } from './criterion.js';
import { choosersError, type Job } from './job.js';
import { toCut } from './steps/cut.js';
import { FEW, recalibrated } from './steps/recalibrated.js';

/** The trained network cut to so many of its multiply-accumulates, and not trained since. */
export interface CurvePoint {
  /** What was asked for, as a fraction of before. */
  share: number;
  macs: number;
  params: number;
  /** Of its files, as tfjs saves it. */
  bytes: number;
  /** On the test examples. */
  error: number;
  /** On those that choices are made by: held out, or some of the training's. */
  heldOut: number;
  /** Milliseconds of a call; left out where nothing times it. */
  milliseconds?: number;
}

/**
 * One trained network at several targets, from the largest down to the last that can be had.
 *
 * @param say told of each point as it is there
 */
export async function curveOf(
  job: Job,
  shares: readonly number[],
  { clock, say }: { clock?: Clock; say?(point: CurvePoint): void } = {},
): Promise<CurvePoint[]> {
  const {
    data,
    objective,
    settings: { gather },
  } = job;
  const trained = await toCut(job);
  const criterion = await criterionFor(job, trained);
  const points: CurvePoint[] = [];
  for (const share of shares) {
    try {
      const { model, report } = pruneModel(trained, { target: { macs: share }, criterion, gather });
      await recalibrated(job, model, FEW);
      const point: CurvePoint = {
        share,
        ...report.after,
        bytes: await modelBytes(model),
        error: errorOn(model, data.test, objective),
        heldOut: choosersError(job, model),
        ...(clock && { milliseconds: await clock.time(model) }),
      };
      points.push(point);
      say?.(point);
      model.dispose();
    } catch (error) {
      // so few can't be had
      if (!(error instanceof PruneError)) throw error;
      break;
    }
  }
  trained.dispose();
  return points;
}
