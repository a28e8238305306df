export {
  type ResolvedTrainConfig,
  resolveTrainConfig,
  type TrainConfig,
  TrainError,
  trainConfigSchema,
} from './config.js';
export type { EpochSums, StepTotals, TrainStep } from './run/epoch.js';
export { errorPercent } from './run/evaluate.js';
export { Replica } from './run/replica.js';
export { type SharedRun, sharedRun } from './run/shared-run.js';
export { type EpochMetrics, heldWeights, type TrainProgress, type TrainState } from './run/state.js';
export { noiseSize, type StepFunction, type StepResult, stepFunction } from './step/step.js';
export { defaultReplicas, type TrainHooks, train } from './train.js';
export { constantThenLinear } from './update/schedule.js';
