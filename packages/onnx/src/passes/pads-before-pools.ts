import type { OnnxGraph } from '../graph/graph-builder.js';

/** As good as 0 beside any number that a network computes, and yet not 0: the smallest that float32 has all its digits for. */
const NOTHING = 2 ** -126;

/**
 * ONNX Runtime (1.30) takes zeros that are put around an image for the padding of the pooling that follows, where they don't count: a maximum of negative numbers comes out
 * instead of 0. It does so only where they are exactly 0.
 */
export function keepPadsFromPools(graph: OnnxGraph): void {
  const pooled = new Set(
    graph.nodes.flatMap(({ opType, inputs }) => (/^(Max|Average)Pool$/.test(opType) ? [inputs[0]!] : [])),
  );
  const pads = graph.nodes.filter(({ opType, outputs }) => opType === 'Pad' && pooled.has(outputs[0]!));
  if (pads.length === 0) return;
  const name = 'constant/nothing';
  graph.constants.set(name, { name, type: 'float32', dims: [], data: Float32Array.of(NOTHING) });
  for (const pad of pads) pad.inputs = [...pad.inputs, name];
}
