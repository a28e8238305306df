export { ModelError } from './errors.js';
export {
  ensureBuilt,
  type Graph,
  type GraphNode,
  type GraphTensor,
  type InputShapes,
  readGraph,
} from './graph/graph.js';
