// What bundlers for browsers get as '@sbp/engine': index.ts less TensorFlow, which is Node's.
export { type Engine, useEngine } from './engine.js';
export { EngineError, type EngineName } from './engine-error.js';
