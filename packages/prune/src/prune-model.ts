import { type Cost, countFlops, type InputShapes } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { candidatesOf, takeBelow } from './criteria/candidates.js';
import { type CriterionName, criteria, criterionOf } from './criteria/criteria.js';
import type { Criterion, NamedCriterion } from './criteria/criterion.js';
import { type Costs, costsBefore, costsOf } from './cut/costs.js';
import { keepAll, type Plan, planOf } from './cut/plan.js';
import {
  type CriterionReport,
  groupReports,
  type PruneReport,
  unfollowedIn,
  zeroRowsOf,
} from './cut/report.js';
import { cutModel } from './cut/surgery.js';
import { PruneError } from './errors.js';
import { withDecisions } from './noise/decisions.js';
import { type OpGraph, readOps } from './ops/read-ops.js';
import { meetTarget } from './target/meet-target.js';
import type { Target } from './target/target.js';

export interface PruneOptions {
  /**
   * What the model may cost, in place of thresholds: `{ macs: 0.4 }` is 0.4 of before. Groups go by what they are worth for their cost until it is met from below, one group short of
   * it; at least one of each set stays. Works without noise, too, and then takes groups out that are not 0.
   */
  readonly target?: Target;
  /**
   * What groups are worth: default 'snr' in a model with noise, and 'magnitude' in one without. Without a target only 'bmrs-n' and 'bmrs-u', which say by themselves which groups go, in
   * place of thresholds.
   */
  readonly criterion?: CriterionName | Criterion | NamedCriterion;
  /**
   * With a target: widths above it that are cut are left at multiples of it, such as 16, whose convolutions ONNX Runtime computes as fast as those of 15 channels less. Below it, and in sets of which
   * nothing goes, any width stays. Default 1.
   */
  readonly roundTo?: number;
  /**
   * Replaces the layers' own thresholds, each in its terms: groups of noise whose SNR is not above it go, weights of SparseVD whose log α is above it, groups
   * of group lasso whose norm is below it.
   */
  readonly threshold?: number;
  /**
   * Also take out single flattened units and inputs, whose layer keeps others of the same channel. tfjs has no gather layer, so a
   * crop for each run of neighbours and a concatenation stand for one: fewer multiply-accumulates and weights, but on
   * tfjs's own engines it takes longer than the rows of zeros that are left without it. Default false.
   */
  readonly gather?: boolean;
  /** Sizes of inputs that the model leaves open, without the batch; what is cut away does not depend on them, what it saves does. */
  readonly inputShapes?: InputShapes;
}

/**
 * Takes the groups that noise, SparseVD or group lasso have set to 0 out of a model, for good; or those that a criterion finds worth nothing; or, with a target, as many groups as have to go for it, those with the least signal for their cost first. The new model computes what the given one does
 * at inference (with the groups at 0 that a target takes), up to float32 rounding; it is made of tfjs's own layers, and of @sbp/model's where the given one has them, and loads without this package.
 *
 * Groups that a sum, a product or shared weights tie together go together or not at all. With group lasso, weights of groups below its threshold count as 0, in
 * {@link foldNoise} too. E θ of the groups that stay goes into weights. Where a removed group leaves a constant behind, that goes into the bias of
 * the layer that reads it; where neither can be done exactly the group stays, and the report says why. The given model is not
 * changed; the caller owns both.
 *
 * @param model any graph of layers: branches, nested models, shared layers, several inputs and outputs
 * @throws PruneError for models and layers that cannot be cut, naming the layer; and for a target that cannot be met, saying what can
 */
export function pruneModel(
  model: tf.LayersModel,
  { target, criterion, roundTo = 1, threshold, gather = false, inputShapes }: PruneOptions = {},
): { model: tf.LayersModel; report: PruneReport } {
  if (threshold !== undefined && !(threshold >= 0 && threshold < Infinity)) {
    throw new PruneError(`threshold is ${threshold}; expected a number ≥ 0`);
  }
  if (!(Number.isInteger(roundTo) && roundTo > 0))
    throw new PruneError(`roundTo is ${roundTo}; expected a whole number above 0`);
  if (roundTo !== 1 && target === undefined)
    throw new PruneError('roundTo goes with a target, such as { macs: 0.4 }');
  const given = readOps(model, { threshold, inputShapes });
  const hasNoise = given.ops.some(({ noise }) => noise);
  const isDecided = target !== undefined || criterion !== undefined;
  const graph = isDecided ? withDecisions(given) : given;
  const own = criterion ?? (hasNoise ? 'snr' : 'magnitude');
  const decided = target || criterion === undefined ? undefined : decide(graph, criterionOf(criterion));
  const met = target && meetTarget(graph, { target, criterion: own, threshold, gather, roundTo });
  const plan = planOf(graph, gather);
  // of the layers as they are, whose weights the cut uses up
  const before = costsBefore(graph).total;
  const zeroRows = zeroRowCosts(graph, plan, costsOf(graph, plan));
  const { model: pruned, standIns } = cutModel(model, graph, plan);
  const layers = groupReports(graph, plan, standIns);
  const after = countFlops(pruned, { inputShapes });
  const report = {
    layers,
    widths: layers.map(({ kept }) => kept),
    before,
    after: { macs: after.macs, params: after.params },
    reduction: before.macs / after.macs,
    zeroRows,
    unfollowed: unfollowedIn(graph),
    ...(decided && { criterion: decided }),
    ...(met && { target: met }),
  };
  return { model: pruned, report };
}

/** Leaves the decision to a criterion. */
function decide(graph: OpGraph, criterion: NamedCriterion): CriterionReport {
  const { name, decides } = criterion;
  if (!decides) {
    const own = Object.values<NamedCriterion>(criteria).filter((each) => each.decides);
    throw new PruneError(
      `criterion '${name}' says which groups go first, not how many: it goes with a target, such as { macs: 0.4 }; without one, ${own.map((each) => `'${each.name}'`).join(' and ')} decide`,
    );
  }
  const all = candidatesOf(graph, criterion, undefined);
  const groups = all.reduce((sum, { scores }) => sum + scores.length, 0);
  return { name, groups, taken: takeBelow(all) };
}

/**
 * The noisy model at inference in tfjs's own layers: multipliers in the weights, and weights at 0 that SparseVD or group lasso find worthless; nothing
 * removed.
 *
 * @throws PruneError as {@link pruneModel} does
 */
export function foldNoise(
  model: tf.LayersModel,
  { inputShapes }: Pick<PruneOptions, 'inputShapes'> = {},
): tf.LayersModel {
  return cutModel(model, readOps(model, { inputShapes }), keepAll()).model;
}

/** What is spent on rows of zeros. */
function zeroRowCosts({ ops }: OpGraph, plan: Plan, costs: Costs): Cost {
  const total = { macs: 0, params: 0 };
  for (const op of ops) {
    const rows = zeroRowsOf(op, plan);
    if (rows === 0) continue;
    const each = costs.ofGroup(op, 'in');
    total.macs += rows * each.macs;
    total.params += rows * each.params;
  }
  return total;
}
