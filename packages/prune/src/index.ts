export { type Cost, type CountOptions, countFlops, type FlopCount } from '@sbp/model';
export { exportOnnx } from '@sbp/onnx';
export type { NoiseReport, PruneReport, Unfollowed } from './cut/report.js';
export { PruneError } from './errors.js';
export { type TiedGroups, tiedGroups } from './noise/tied-groups.js';
export { type WithNoiseOptions, withNoise } from './noise/with-noise.js';
export { foldNoise, type PruneOptions, pruneModel } from './prune-model.js';
