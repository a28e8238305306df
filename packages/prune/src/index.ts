export { PruneError } from './errors.js';
export { type Cost, type CountOptions, countFlops, type FlopCount } from './flops.js';
export { exportOnnx } from './onnx/export-onnx.js';
export { foldNoise, type PruneOptions, pruneModel } from './prune-model.js';
export type { NoiseReport, PruneReport } from './report.js';
