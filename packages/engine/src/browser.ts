// What bundlers for browsers get as '@sbp/engine': all of index.ts but the installing of TensorFlow, which is Node's.
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
export { type AdamRates, type AdamState, applyAdam } from './tensorflow-ops/apply-adam.js';
export { type BatchNormalized, batchNormalize } from './tensorflow-ops/batch-normalize.js';
export { softmaxCrossEntropy } from './tensorflow-ops/softmax-cross-entropy.js';
export { statelessNormal, statelessUniform } from './tensorflow-ops/stateless-random.js';
