export { type Cost, type CountOptions, countFlops, type FlopCount } from '@sbp/model';
export { exportOnnx } from '@sbp/onnx';
export { type CriterionName, criterionNames } from './criteria/criteria.js';
export type { Criterion, CutSet, NamedCriterion } from './criteria/criterion.js';
export type { Kernels } from './criteria/kernels.js';
export { random } from './criteria/random.js';
export { type GatedLoss, taylor } from './criteria/taylor.js';
export type { CriterionReport, NoiseReport, PruneReport, Unfollowed } from './cut/report.js';
export { PruneError } from './errors.js';
export { type Cut, joinReports, pruneInSteps } from './in-steps.js';
export { type TiedGroups, tiedGroups } from './noise/tied-groups.js';
export { type WithNoiseOptions, withNoise } from './noise/with-noise.js';
export { foldNoise, type PruneOptions, pruneModel } from './prune-model.js';
export { type InputBatch, recalibrate } from './recalibrate.js';
export { type Budget, budgetOf } from './steering/budget.js';
export { type ExpectedOptions, expectedKlScale } from './steering/expected-kl-scale.js';
export { type Steering, type SteeringOptions, type SteeringState, steering } from './steering/steering.js';
export { weighKl } from './steering/weigh-kl.js';
export type { TargetReport } from './target/report.js';
export {
  type CostTarget,
  type LayerMeasure,
  type Measure,
  type OwnTarget,
  type Target,
  targetMeasures,
} from './target/target.js';
