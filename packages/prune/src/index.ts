export type { NoiseReport, PruneReport, Unfollowed } from './cut/report.js';
export { PruneError } from './errors.js';
export { type Cost, countFlops, type FlopCount } from './flops.js';
export { exportOnnx } from './onnx/export-onnx.js';
export { foldNoise, type PruneOptions, pruneModel } from './prune-model.js';
