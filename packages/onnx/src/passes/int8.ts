import type { Constant, OnnxGraph, OnnxNode } from '../graph/graph-builder.js';
import { elementTypes } from '../graph/model-proto.js';
import { dropUnused } from './unused.js';

/** Weights of fewer numbers stay as they are: they would save nothing. */
const FEWEST = 512;

/** What uint8 has for 0: int8 moved up, as ONNX Runtime's exact kernels want it. */
const ZERO = 128;

/** How an operation is done with weights of int8. */
interface Rule {
  /** Which inputs are weights, and the axis of their output channels. */
  readonly weights: Readonly<Record<number, number>>;
  /** Whether it is done in integers, by an operation of that name. */
  readonly inIntegers?: string;
}

const rules: Readonly<Record<string, Rule>> = {
  Gemm: { weights: { 1: 1 }, inIntegers: 'MatMulInteger' },
  MatMul: { weights: { 1: 1 }, inIntegers: 'MatMulInteger' },
  Conv: { weights: { 1: 0 } },
  ConvTranspose: { weights: { 1: 1 } },
  Gather: { weights: { 0: 0 } },
  LSTM: { weights: { 1: 1, 2: 1 } },
  GRU: { weights: { 1: 1, 2: 1 } },
  RNN: { weights: { 1: 1, 2: 1 } },
};

/**
 * Weights as int8, symmetric, with a scale for each output channel. Products with them are done in integers, their inputs quantised as they come
 * (DynamicQuantizeLinear, MatMulInteger). Convolutions are done in float32, of weights that the runtime unpacks once when it
 * opens the file: ONNX Runtime 1.30 took twice the time for ConvInteger as for float32, and 1.6 times with DequantizeLinear, which it does anew in each run.
 */
export function toInt8(graph: OnnxGraph): void {
  const writer = new Quantizer(graph);
  for (const node of graph.nodes) {
    const rule = Object.hasOwn(rules, node.opType) ? rules[node.opType] : undefined;
    const weights = Object.entries(rule?.weights ?? {}).filter(([input]) =>
      writer.isWorth(node.inputs[Number(input)]),
    );
    if (weights.length > 0 && rule?.inIntegers) writer.inIntegers(node, rule.inIntegers);
    else {
      for (const [input, axis] of weights) writer.unpacked(node, Number(input), axis);
      writer.nodes.push(node);
    }
  }
  graph.nodes = writer.nodes;
  dropUnused(graph);
}

interface Quantized {
  readonly values: Int8Array;
  /** One for each channel. */
  readonly scales: Float32Array;
}

/** The numbers as whole multiples, −127 to 127, of a scale for each index of an axis. */
export function quantized({ data, dims }: Constant, axis: number): Quantized {
  const channels = dims[axis]!;
  const inner = dims.slice(axis + 1).reduce((size, d) => size * d, 1);
  const numbers = data as Float32Array;
  const scales = new Float32Array(channels);
  const values = new Int8Array(numbers.length);
  // Neighbours belong to one channel in runs of `inner`. No function is called for each: there may be a hundred million.
  for (let i = 0, left = inner, channel = 0; i < numbers.length; i++) {
    const size = Math.abs(numbers[i]!);
    if (size > scales[channel]!) scales[channel] = size;
    if (--left === 0) [left, channel] = [inner, (channel + 1) % channels];
  }
  // A channel of zeros may have any scale but 0.
  for (const i of scales.keys()) scales[i] = scales[i] === 0 ? 1 : scales[i]! / 127;
  for (let i = 0, left = inner, channel = 0; i < numbers.length; i++) {
    values[i] = Math.round(numbers[i]! / scales[channel]!);
    if (--left === 0) [left, channel] = [inner, (channel + 1) % channels];
  }
  return { values, scales };
}

/** The same as uint8, {@link ZERO} standing for 0. */
function movedUp(values: Int8Array): Uint8Array {
  const result = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i]! + ZERO;
  return result;
}

/** Writes operations with weights of int8. */
class Quantizer {
  readonly nodes: OnnxNode[] = [];
  readonly #inputs = new Map<string, readonly string[]>();
  readonly #weights = new Map<string, string>();
  readonly #names: Set<string>;
  constructor(readonly graph: OnnxGraph) {
    this.#names = new Set(graph.nodes.map(({ name }) => name));
  }

  isWorth(name: string | undefined): boolean {
    const constant = name ? this.graph.constants.get(name) : undefined;
    return constant?.type === 'float32' && constant.data.length >= FEWEST && constant.dims.length > 1;
  }

  /** The weights are int8 in the file; Cast and Mul make float32 of them, which ONNX Runtime does when it opens the file. */
  unpacked(node: OnnxNode, input: number, axis: number): void {
    const name = node.inputs[input]!;
    const known = this.#weights.get(name);
    if (known !== undefined) {
      node.inputs[input] = known;
      return;
    }
    const constant = this.graph.constants.get(name)!;
    const { values, scales } = quantized(constant, axis);
    const shape = constant.dims.map((size, i) => (i === axis ? size : 1));
    const q = this.#constant({ name: `${name}/int8`, type: 'int8', dims: constant.dims, data: values });
    const s = this.#constant({ name: `${name}/scale`, type: 'float32', dims: shape, data: scales });
    const output = `${name}/dequantized`;
    this.#push('Cast', [q], [`${name}/multiples`], { to: BigInt(elementTypes.float32) });
    this.#push('Mul', [`${name}/multiples`, s], [output], {});
    this.#weights.set(name, output);
    node.inputs[input] = output;
  }

  /** A product of [rows, inputs] and [inputs, outputs]; outputs are the weights' second axis. */
  inIntegers(node: OnnxNode, opType: string): void {
    const [x, kernel, bias] = node.inputs as [string, string, string?];
    const { name, outputs } = node;
    const constant = this.graph.constants.get(kernel)!;
    const { values, scales } = quantized(constant, 1);
    const q = this.#constant({
      name: `${kernel}/uint8`,
      type: 'uint8',
      dims: constant.dims,
      data: movedUp(values),
    });
    const s = this.#constant({
      name: `${kernel}/scale`,
      type: 'float32',
      dims: [scales.length],
      data: scales,
    });
    const zero = this.#constant({
      name: 'constant/zero',
      type: 'uint8',
      dims: [],
      data: Uint8Array.of(ZERO),
    });
    const [qx, sx, zx] = this.#quantizedInput(x) as [string, string, string];
    this.#push(opType, [qx, q, zx, zero], [`${name}/integers`], {});
    this.#push('Cast', [`${name}/integers`], [`${name}/sums`], { to: BigInt(elementTypes.float32) });
    this.#push('Mul', [sx, s], [`${name}/scale`], {});
    this.#push('Mul', [`${name}/sums`, `${name}/scale`], [bias ? `${name}/scaled` : outputs[0]!], {});
    if (bias) this.#push('Add', [`${name}/scaled`, bias], outputs, {});
  }

  #quantizedInput(x: string): readonly string[] {
    const known = this.#inputs.get(x);
    if (known) return known;
    const outputs = [`${x}/quantized`, `${x}/quantized_scale`, `${x}/quantized_zero`];
    this.#push('DynamicQuantizeLinear', [x], outputs, {});
    this.#inputs.set(x, outputs);
    return outputs;
  }

  #constant(constant: Constant): string {
    this.graph.constants.set(constant.name, constant);
    return constant.name;
  }

  #push(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: OnnxNode['attributes'],
  ) {
    let name = `${outputs[0]}/${opType}`;
    for (let i = 2; this.#names.has(name); i++) name = `${outputs[0]}/${opType}_${i}`;
    this.#names.add(name);
    this.nodes.push({ name, opType, inputs: [...inputs], outputs: [...outputs], attributes });
  }
}
