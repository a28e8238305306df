export { ModelError } from './errors.js';
export { ModelFileError } from './files/file-error.js';
export { modelBytes, modelFiles, type SavedFiles } from './files/model-files.js';
export { modelFolder, ownsFile } from './files/owned-files.js';
export type { DroppedFile } from './files/sources/dropped-files.js';
export type { LoadOptions, LoadSource } from './files/sources/open.js';
export {
  ensureBuilt,
  type Graph,
  type GraphNode,
  type GraphTensor,
  type InputShapes,
  readGraph,
} from './graph/graph.js';
export { loadModel } from './load-model.js';
export { assertOurTfjs } from './our-tfjs.js';
export { checkReplaceable, saveModel } from './save-model.js';
