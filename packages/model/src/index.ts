export { ModelError } from './errors.js';
export { type Graph, type GraphNode, type GraphTensor, type InputShapes, readGraph } from './graph/graph.js';
export { activations } from './layers/index.js';
