import { type ElementType, isSubgraph, type OnnxGraph, type OnnxNode } from '../graph/graph-builder.js';
import { elementTypes } from '../graph/model-proto.js';

const byNumber = new Map(
  Object.entries(elementTypes).map(([type, number]) => [number as number, type as ElementType]),
);

/** Operations whose output is of one type, whatever they read. */
const outputTypes: Readonly<Record<string, ElementType>> = {
  Shape: 'int64',
  Equal: 'bool',
  Not: 'bool',
  And: 'bool',
  Greater: 'bool',
  GreaterOrEqual: 'bool',
};

/** What each tensor of the graph holds, before a pass has changed anything. */
export function tensorTypes(graph: OnnxGraph): Map<string, ElementType> {
  const types = new Map<string, ElementType>();
  for (const { name, type } of [...graph.inputs, ...graph.constants.values()]) types.set(name, type);
  for (const node of graph.nodes)
    node.outputs.forEach((output, i) => {
      types.set(output, typeOf(node, i, types));
    });
  return types;
}

function typeOf(node: OnnxNode, output: number, types: ReadonlyMap<string, ElementType>): ElementType {
  const { opType, inputs, attributes } = node;
  if (opType === 'Cast') return byNumber.get(Number(attributes.to))!;
  const fixed = Object.hasOwn(outputTypes, opType) ? outputTypes[opType] : undefined;
  if (fixed) return fixed;
  const body = Object.values(attributes).find(isSubgraph);
  if (body) return body.outputs[output]!.type;
  return types.get(inputs[opType === 'Where' ? 1 : 0]!)!;
}
