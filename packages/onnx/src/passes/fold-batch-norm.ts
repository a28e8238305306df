import type { Constant, OnnxGraph, OnnxNode } from '../graph/graph-builder.js';

/** Which axis of its weights an operation has its output channels on. */
const outputAxis: Readonly<Record<string, number>> = { Conv: 0, ConvTranspose: 1, Gemm: 1 };

/**
 * Takes batch normalisation into the weights of the convolution or product before it where nothing else reads that, in float64: what is left then is written with fewer
 * bits. In float32 ONNX Runtime does so itself.
 */
export function foldBatchNorm(graph: OnnxGraph): void {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
  const readers = new Map<string, number>();
  for (const name of [
    ...graph.nodes.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ name }) => name),
  ])
    readers.set(name, (readers.get(name) ?? 0) + 1);
  const gone = new Set<OnnxNode>();
  for (const node of graph.nodes) {
    const maker = node.opType === 'BatchNormalization' ? makers.get(node.inputs[0]!) : undefined;
    if (!maker || readers.get(node.inputs[0]!) !== 1 || !fold(graph, maker, node)) continue;
    maker.outputs[0] = node.outputs[0]!;
    gone.add(node);
  }
  graph.nodes = graph.nodes.filter((node) => !gone.has(node));
}

function fold(graph: OnnxGraph, maker: OnnxNode, norm: OnnxNode): boolean {
  const axis = outputAxis[maker.opType];
  const numbersOf = (name: string | undefined) => (name ? graph.constants.get(name) : undefined);
  const floatsOf = (name: string | undefined) => numbersOf(name)?.data as Float32Array | undefined;
  const kernel = numbersOf(maker.inputs[1]);
  const [gamma, beta, mean, variance] = norm.inputs.slice(1).map((name) => floatsOf(name));
  const isGrouped = Number(maker.attributes.group ?? 1n) !== 1 && maker.opType === 'ConvTranspose';
  if (axis === undefined || !kernel || isGrouped || !gamma || !beta || !mean || !variance) return false;
  const epsilon = norm.attributes.epsilon as number;
  const factors = Array.from(gamma, (g, i) => g / Math.sqrt(variance[i]! + epsilon));
  const old = floatsOf(maker.inputs[2]);
  const bias = factors.map((factor, i) => ((old?.[i] ?? 0) - mean[i]!) * factor + beta[i]!);
  const inner = kernel.dims.slice(axis + 1).reduce((size, d) => size * d, 1);
  const channels = kernel.dims[axis]!;
  const data = (kernel.data as Float32Array).map((w, i) => w * factors[Math.floor(i / inner) % channels]!);
  const added = (name: string, constant: Omit<Constant, 'name'>) => {
    graph.constants.set(name, { ...constant, name });
    return name;
  };
  // Named after the normalisation, as a shared kernel may have several.
  maker.inputs[1] = added(`${norm.name}/folded_kernel`, { ...kernel, data });
  maker.inputs[2] = added(`${norm.name}/folded_bias`, {
    type: 'float32',
    dims: [channels],
    data: Float32Array.from(bias),
  });
  return true;
}
