import type { Cost, CostTarget, PruneOptions, PruneReport } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import type { TimeTarget } from './layer-times.js';

/** What noise is steered to while it is trained, as plain data. */
export type SteerTo = CostTarget | TimeTarget;

/** A model cut to a target. */
export interface CutModel {
  model: tf.LayersModel;
  report: PruneReport;
  /** What the target came to, in words, where the report does not say it. */
  reached?: string;
}

/** How a model is cut, besides its target. */
export interface CutOptions extends Pick<PruneOptions, 'criterion' | 'gather'> {
  /** Widths are left at multiples of it; 0: as the target's runtime likes them. */
  readonly roundTo: number;
  /** The error of a model that was cut, to choose by; left out where there is no data. */
  errorOf?(model: tf.LayersModel): Promise<number>;
}

/** A kind of target. */
export interface TargetKind<Options> {
  /** What it looks like on the command line, and what that means. */
  readonly example: string;
  /** @param text behind the `=`; @returns undefined for what is none */
  parse(text: string): Options | undefined;
  words(options: Options): string;
  /**
   * A target on the way to this one, of a model that may have gone a part of it already; absent where there are none.
   *
   * @param way 0 to 1; equal steps take equal shares of what is left
   * @param whole costs of the model before anything was cut
   */
  partly?(options: Options, way: number, whole: Cost): Options;
  /**
   * What noise is steered to, and its KL weighed by, while it is trained.
   *
   * @param noisy the model before it is trained
   * @throws PruneError or UsageError for a target that is out of reach
   */
  steerTo(options: Options, noisy: tf.LayersModel, how: Pick<CutOptions, 'gather'>): Promise<SteerTo>;
  /** @throws as `steerTo` */
  cut(options: Options, trained: tf.LayersModel, how: CutOptions): Promise<CutModel>;
}
