import {
  type Constant,
  type ElementType,
  isSubgraph,
  type OnnxGraph,
  type OnnxNode,
} from '../graph/graph-builder.js';
import { elementTypes } from '../graph/model-proto.js';
import { tensorTypes } from './tensor-types.js';
import { dropUnused } from './unused.js';

/** The largest number of float16. */
const LARGEST = 65504;
/** From here on float16 has all its digits, of which a tensor's largest number should have some three. */
const SMALLEST = 2 ** -13;

/** Inputs that are float32 by the standard, whatever the others are. */
const alwaysFloat32: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2] };

/**
 * Weights and computation in float16; inputs and outputs of the model stay float32. What needs float32's range or digits (normalisation, loops over steps, weights
 * beyond 65504 or below 2 ** −13) is computed in it.
 */
export function toFloat16(graph: OnnxGraph): void {
  const casts = new Casts(graph);
  const hard = hardConstants(graph);
  keepTransposesFromProducts(graph);
  const types = tensorTypes(graph);
  const isFloat = (name: string) => types.get(name) === 'float32';
  const nodes: OnnxNode[] = [];
  /** What each float tensor is now. */
  const now = new Map<string, ElementType>(
    graph.inputs.filter(({ type }) => type === 'float32').map(({ name }) => [name, 'float32']),
  );
  for (const node of graph.nodes) {
    const isLoop = Object.values(node.attributes).some(isSubgraph);
    const isPrecise = node.precise || isLoop || node.inputs.some((name) => hard.has(name));
    const wanted: ElementType = isPrecise ? 'float32' : 'float16';
    const kept = alwaysFloat32[node.opType] ?? [];
    node.inputs = node.inputs.map((name, i) => {
      if (!name || !isFloat(name) || kept.includes(i)) return name;
      const constant = graph.constants.get(name);
      if (constant) return wanted === 'float16' ? casts.half(constant) : name;
      return now.get(name) === wanted ? name : casts.cast(nodes, name, wanted);
    });
    if (node.opType === 'Cast' && node.attributes.to === 1n && wanted === 'float16')
      node.attributes = { to: BigInt(elementTypes.float16) };
    for (const output of node.outputs) if (isFloat(output)) now.set(output, wanted);
    nodes.push(node);
  }
  graph.nodes = nodes;
  for (const port of graph.outputs) if (now.get(port.name) === 'float16') casts.show(nodes, port.name);
  dropUnused(graph);
}

/** A step that does nothing, but keeps ONNX Runtime (1.30) from joining a transposition to a product in float16, where it crashes. */
function keepTransposesFromProducts(graph: OnnxGraph): void {
  const transposed = new Map(
    graph.nodes.filter(({ opType }) => opType === 'Transpose').map((node) => [node.outputs[0]!, node]),
  );
  graph.nodes = graph.nodes.flatMap((node) => {
    const maker = node.opType === 'MatMul' ? transposed.get(node.inputs[0]!) : undefined;
    if (!maker) return [node];
    const perm = maker.attributes.perm as readonly number[];
    const shape = `${node.name}/as_it_is`;
    const data = BigInt64Array.from(perm, (_, i) => (i === perm.length - 1 ? -1n : 0n));
    graph.constants.set(shape, { name: shape, type: 'int64', dims: [perm.length], data });
    const output = `${node.name}/rows`;
    const step = {
      name: output,
      opType: 'Reshape',
      inputs: [node.inputs[0]!, shape],
      outputs: [output],
      attributes: {},
    };
    node.inputs[0] = output;
    return [step, node];
  });
}

/** Weights beyond what float16 can say, or all so small that it has few digits for them. */
function hardConstants(graph: OnnxGraph): Set<string> {
  const isHard = ({ data }: Constant) => {
    if (!(data instanceof Float32Array)) return false;
    let largest = 0;
    for (const value of data) largest = Math.max(largest, Math.abs(value));
    return largest > LARGEST || (largest > 0 && largest < SMALLEST);
  };
  return new Set([...graph.constants.values()].filter(isHard).map(({ name }) => name));
}

/** The casts between the two types, each once. */
class Casts {
  readonly #made = new Map<string, string>();
  constructor(readonly graph: OnnxGraph) {}

  cast(nodes: OnnxNode[], name: string, to: ElementType): string {
    const key = `${name} ${to}`;
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const output = `${name}/${to}`;
    nodes.push(castNode(name, output, to));
    this.#made.set(key, output);
    return output;
  }

  half(constant: Constant): string {
    const name = `${constant.name}/float16`;
    if (!this.graph.constants.has(name)) {
      const data = float16Bits(constant.data as Float32Array);
      this.graph.constants.set(name, { name, type: 'float16', dims: constant.dims, data });
    }
    return name;
  }

  /** Lets a tensor of float16 come out as float32, under its own name. */
  show(nodes: OnnxNode[], name: string): void {
    const half = `${name}/float16`;
    for (const node of nodes) {
      node.inputs = node.inputs.map((input) => (input === name ? half : input));
      node.outputs = node.outputs.map((output) => (output === name ? half : output));
      for (const { nodes: inner } of Object.values(node.attributes).filter(isSubgraph))
        for (const one of inner) one.inputs = one.inputs.map((input) => (input === name ? half : input));
    }
    nodes.push(castNode(half, name, 'float32'));
  }
}

const castNode = (input: string, output: string, to: ElementType): OnnxNode => ({
  name: `${output}/to_${to}`,
  opType: 'Cast',
  inputs: [input],
  outputs: [output],
  attributes: { to: BigInt(elementTypes[to]) },
});

/** The nearest numbers of float16, ties to even, as their bits. */
export function float16Bits(numbers: Float32Array): Uint16Array {
  const copy = Float32Array.from(numbers);
  const bits = new Uint32Array(copy.buffer);
  const result = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    const size = bits[i]! & 0x7fffffff;
    result[i] = sign | (size < FIRST_NORMAL ? fewDigits(Math.abs(copy[i]!)) : allDigits(size));
  }
  return result;
}

/** 2 ** −14, the smallest that float16 has all its digits for, and 2 ** 16, as the bits of float32. */
const FIRST_NORMAL = 0x38800000;
const FIRST_INFINITE = 0x47800000;

/** Below 2 ** −14 float16 counts in steps of 2 ** −24. */
function fewDigits(size: number): number {
  const steps = size * 2 ** 24;
  const below = Math.floor(steps);
  const rest = steps - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** 13 digits go, and the exponent counts from another number. */
function allDigits(bits: number): number {
  if (bits > 0x7f800000) return 0x7e00;
  if (bits >= FIRST_INFINITE) return 0x7c00;
  return ((bits + 0xfff + ((bits >>> 13) & 1)) >>> 13) - (112 << 10);
}
