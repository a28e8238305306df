export {
  type ResolvedTrainConfig,
  resolveTrainConfig,
  type TrainConfig,
  TrainError,
  trainConfigSchema,
} from './config.js';
export type { EpochSums, StepTotals, TrainStep } from './epoch.js';
export { errorPercent } from './evaluate.js';
export { Replica } from './replica.js';
export { constantThenLinear } from './schedule.js';
export { type SharedRun, sharedRun } from './shared-run.js';
export { noiseSize, type StepFunction, type StepResult, stepFunction } from './step.js';
export {
  defaultReplicas,
  type EpochMetrics,
  type TrainHooks,
  type TrainProgress,
  type TrainState,
  train,
} from './train.js';
