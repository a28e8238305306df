import type * as tf from '@tensorflow/tfjs';
import type { Graph, GraphNode } from './graph.js';

/** A layer of a graph with its uses. */
export interface UsedLayer {
  /** The layer's own name, or, where several have it, the path to it through nested models: unlike any other's of the graph. */
  readonly name: string;
  readonly layer: tf.layers.Layer;
  /** One at least, in the graph's order. */
  readonly uses: readonly GraphNode[];
}

/** The layers of a graph, each once, in the order of their first uses. */
export function layersOf({ nodes }: Graph): UsedLayer[] {
  const uses = new Map<tf.layers.Layer, GraphNode[]>();
  for (const node of nodes) uses.set(node.layer, [...(uses.get(node.layer) ?? []), node]);
  const owners = new Map<string, number>();
  for (const { name } of uses.keys()) owners.set(name, (owners.get(name) ?? 0) + 1);
  return [...uses].map(([layer, all]) => ({
    name: owners.get(layer.name) === 1 ? layer.name : all[0]!.name,
    layer,
    uses: all,
  }));
}
