export { type Cost, type CountOptions, countFlops, type FlopCount } from './count/count-flops.js';
export { layerMacs } from './count/layer-macs.js';
export type { LayerUse, MacsEntry } from './count/layer-use.js';
export { registerMacs } from './count/registry.js';
export { ModelError } from './errors.js';
export { type Graph, type GraphNode, type GraphTensor, type InputShapes, readGraph } from './graph/graph.js';
export { layersOf, type UsedLayer } from './graph/layers-of.js';
