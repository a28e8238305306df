export * from './browser.js';
export { TensorflowError, type TensorflowErrorCode } from './tensorflow/error.js';
export {
  type InstallOptions,
  type InstallProgress,
  type InstallResult,
  installTensorflow,
  removeTensorflow,
} from './tensorflow/install.js';
export { loadTensorflow, type Tensorflow } from './tensorflow/load.js';
export { type EngineStatus, engineStatus } from './tensorflow/status.js';
