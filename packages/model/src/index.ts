export * from './anywhere.js';
export { loadModel } from './load-model.js';
export { modelFileBytes, modelPlace, ownsFile } from './model-paths.js';
export { checkReplaceable, saveModel } from './save-model.js';
