import { layerMacs } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { channelSets } from './channel-sets.js';
import { PruneError } from './errors.js';
import { type Cost, countFlops } from './flops.js';
import { keepAll, planSets } from './plan.js';
import { readSteps } from './read-steps.js';
import { groupReports, type PruneReport } from './report.js';
import type { Step } from './steps.js';
import { type Cut, cutModel } from './surgery.js';

export interface PruneOptions {
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
}

/**
 * Takes the groups that noise, SparseVD or group lasso have set to 0 out of a model, for good. The new model computes what the given one does
 * at inference, up to float32 rounding; it is made of tfjs's own layers and loads without this package.
 *
 * With group lasso, weights of groups below its threshold count as 0, in {@link foldNoise} too. E θ of the groups that stay goes into weights. Where a removed group leaves a constant behind, that goes into the bias of
 * the layer that reads it; where neither can be done exactly the group stays, and the report says why. The given model is not
 * changed; the caller owns both.
 *
 * @param model one path of layers, sequential or functional, with fixed sizes but for the batch
 * @throws PruneError for models and layers that cannot be cut, naming the layer
 */
export function pruneModel(
  model: tf.LayersModel,
  { threshold, gather = false }: PruneOptions = {},
): { model: tf.LayersModel; report: PruneReport } {
  if (threshold !== undefined && !(threshold >= 0 && threshold < Infinity)) {
    throw new PruneError(`threshold is ${threshold}; expected a number ≥ 0`);
  }
  const steps = readSteps(model, threshold);
  const plans = planSets(steps, channelSets(steps));
  const { model: pruned, cuts } = cutModel(model, steps, plans, gather);
  const layers = cuts.flatMap((cut) => groupReports(steps, cut));
  const before = costWithoutNoise(model, steps);
  const after = countFlops(pruned);
  const zeroRows = cuts.map((cut) => zeroRowCost(pruned, cut, steps));
  const report = {
    layers,
    widths: layers.map(({ kept }) => kept),
    before,
    after: { macs: after.macs, params: after.params },
    reduction: before.macs / after.macs,
    zeroRows: {
      macs: sum(zeroRows.map(({ macs }) => macs)),
      params: sum(zeroRows.map(({ params }) => params)),
    },
  };
  return { model: pruned, report };
}

/**
 * The noisy model at inference in tfjs's own layers: multipliers in the weights, and weights at 0 that SparseVD or group lasso find worthless; nothing
 * removed.
 *
 * @throws PruneError as {@link pruneModel} does
 */
export function foldNoise(model: tf.LayersModel): tf.LayersModel {
  const steps = readSteps(model);
  const plans = channelSets(steps).flatMap((set) => keepAll(steps, set) ?? []);
  return cutModel(model, steps, plans, false).model;
}

function costWithoutNoise(model: tf.LayersModel, steps: readonly Step[]): Cost {
  const { macs, params } = countFlops(model);
  return { macs, params: params - sum(steps.map(({ noiseParams = 0 }) => noiseParams)) };
}

function zeroRowCost(
  model: tf.LayersModel,
  { plan: { set }, present, zeroRows }: Cut,
  steps: readonly Step[],
): Cost {
  if (zeroRows === 0 || set.reader === undefined) return { macs: 0, params: 0 };
  const layer = model.getLayer(steps[set.reader]!.name);
  const inputs = present.get(set.path.at(-1)!)!;
  const share = (total: number) => (total * zeroRows) / inputs;
  return { macs: share(layerMacs(layer)), params: share(layer.weights[0]!.read().size) };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
