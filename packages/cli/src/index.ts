export { loadModel, ModelFileError, saveModel } from '@sbp/model';
export { type RunConfig, type RunConfigInput, runConfigSchema } from './config/run-config.js';
