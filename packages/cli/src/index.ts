export { loadModel, ModelFileError, saveModel } from '@sbp/model';
export { type RunConfig, type RunConfigInput, runConfigSchema } from './run-config.js';
