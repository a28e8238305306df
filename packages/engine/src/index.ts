export * from './browser.js';
export { TensorflowError, type TensorflowErrorCode } from './tensorflow/error.js';
export { type InstallResult, installTensorflow, removeTensorflow } from './tensorflow/install.js';
export type { InstallOptions, InstallProgress } from './tensorflow/install-options.js';
export { loadTensorflow, type Tensorflow } from './tensorflow/load.js';
export { type EngineStatus, engineStatus } from './tensorflow/status.js';
