export { PruneError } from './errors.js';
export { exportOnnx } from './export-onnx.js';
export { type Cost, countFlops, type FlopCount } from './flops.js';
export { foldNoise, type PruneOptions, pruneModel } from './prune-model.js';
export type { NoiseReport, PruneReport } from './report.js';
