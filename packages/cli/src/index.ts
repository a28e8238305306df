export { loadModel, ModelFileError, saveModel } from './model-files.js';
export { type RunConfig, type RunConfigInput, runConfigSchema } from './run-config.js';
