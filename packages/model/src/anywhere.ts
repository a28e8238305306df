// What needs no file system, in Node and in browsers alike.

export { type Cost, type CountOptions, countFlops, type FlopCount } from './count/count-flops.js';
export { layerMacs } from './count/layer-macs.js';
export type { LayerUse, MacsEntry } from './count/layer-use.js';
export { macsOf } from './count/macs.js';
export { registerMacs } from './count/registry.js';
export { ModelError } from './errors.js';
export { type CompileConfig, type Compiled, compileConfigOf, compiledAs } from './files/compile-config.js';
export { ModelFileError } from './files/file-error.js';
export { modelBytes, modelFiles, type SavedFiles } from './files/model-files.js';
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
export { layersOf, type UsedLayer } from './graph/layers-of.js';
export { activations } from './layers/index.js';
export { assertOurTfjs } from './our-tfjs.js';
