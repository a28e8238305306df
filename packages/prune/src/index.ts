export { exportOnnx } from '@sbp/onnx';
export type { NoiseReport, PruneReport, Unfollowed } from './cut/report.js';
export { PruneError } from './errors.js';
export { type Cost, countFlops, type FlopCount } from './flops.js';
export { type WithNoiseOptions, withNoise } from './noise/with-noise.js';
export { foldNoise, type PruneOptions, pruneModel } from './prune-model.js';
