export {
  type Compiled,
  type CompiledWithState,
  type CompileOptions,
  compile,
} from './compile/compile.js';
export { CompileError, type CompileErrorCode } from './compile/error.js';
export { isTracing } from './compile/tracing.js';
export { type Engine, useEngine } from './engine.js';
export { EngineError, type EngineName } from './engine-error.js';
export { readInto } from './read-into.js';
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
export { type AdamRates, type AdamState, applyAdam } from './tensorflow-ops/apply-adam.js';
export { type BatchNormalized, batchNormalize } from './tensorflow-ops/batch-normalize.js';
export { softmaxCrossEntropy } from './tensorflow-ops/softmax-cross-entropy.js';
export { statelessNormal, statelessUniform } from './tensorflow-ops/stateless-random.js';
