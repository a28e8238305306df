import { isSubgraph, type OnnxGraph, type OnnxNode } from '../graph/graph-builder.js';

/** Tensors of the graph around them that the nodes of a node's subgraphs read. */
export const namesInside = (node: OnnxNode): string[] =>
  Object.values(node.attributes)
    .filter(isSubgraph)
    .flatMap(({ nodes }) => nodes.flatMap((inner) => [...inner.inputs, ...namesInside(inner)]));

/** Takes out the constants that nothing reads any more. */
export function dropUnused(graph: OnnxGraph): void {
  const used = new Set(graph.nodes.flatMap((node) => [...node.inputs, ...namesInside(node)]));
  for (const name of graph.constants.keys()) if (!used.has(name)) graph.constants.delete(name);
}
