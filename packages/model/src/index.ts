export * from './anywhere.js';
export { modelFileBytes, modelFolder, ownsFile } from './files/owned-files.js';
export { loadModel } from './load-model.js';
export { checkReplaceable, saveModel } from './save-model.js';
