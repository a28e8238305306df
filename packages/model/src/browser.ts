// What bundlers for browsers get as '@sbp/model': all of index.ts that needs no file system.
export { ModelError } from './errors.js';
export { ModelFileError } from './files/file-error.js';
export { modelBytes, modelFiles, type SavedFiles } from './files/model-files.js';
export type { DroppedFile } from './files/sources/dropped-files.js';
export type { LoadOptions, LoadSource } from './files/sources/open.js';
export { type Graph, type GraphNode, type GraphTensor, type InputShapes, readGraph } from './graph/graph.js';
export { loadModel, saveModel } from './in-browser.js';
export { assertOurTfjs } from './our-tfjs.js';
