export {
  type ResolvedTrainConfig,
  resolveTrainConfig,
  type TrainConfig,
  trainConfigSchema,
} from './config.js';
export { TrainError } from './errors.js';
export { outputEnds } from './objective/heads.js';
export { inputTensors } from './objective/inputs.js';
export { lossOn } from './objective/loss-on.js';
export type { LossFunction } from './objective/losses.js';
export { namesOf } from './objective/names.js';
export {
  errorTitle,
  lossTitle,
  type Objective,
  type OutputObjective,
  objectiveOf,
  ownTargets,
} from './objective/objective.js';
export { type TeacherOptions, withTeacher } from './objective/teacher.js';
export type { EpochSums, StepTotals, TrainStep } from './run/epoch.js';
export { errorOn } from './run/evaluate.js';
export { Replica } from './run/replica.js';
export { type SharedRun, sharedRun } from './run/shared-run.js';
export {
  type EpochMetrics,
  heldWeights,
  type Steered,
  type Steering,
  type TrainProgress,
  type TrainState,
} from './run/state.js';
export { noiseSize, type StepBatch, type StepFunction, type StepResult, stepFunction } from './step/step.js';
export { defaultReplicas, type TrainHooks, train } from './train.js';
export { constantThenLinear } from './update/schedule.js';
