import type { Constant, OnnxGraph, OnnxNode } from '../graph/graph-builder.js';
import { type Known, rules } from './channel-rules.js';
import { channelsOf, fix, PADDING, type Space } from './channel-space.js';
import { dropUnused, namesInside } from './unused.js';

/**
 * ONNX Runtime has fast kernels for convolutions, batch norm and ReLU included, where the number of channels they make is a multiple of this (NchwcTransformer
 * in its sources). Pruned networks have any number.
 */
const MULTIPLE = 4;

/**
 * Those kernels work in blocks of 8 or 16 channels, so few channels are better off without: `npm run bench:channels`. From here on they
 * were 0.99 to 1.62 times as fast with blocks of 16.
 */
const FEWEST = 24;

/** What is done to a node once it is known which channels are filled up. */
type Change = (channels: (space: Space) => readonly number[]) => void;

/**
 * Adds channels to convolutions of 24 or more until their number is a multiple of four; their weights, and those of what reads
 * them, are 0, so that the graph computes the same. Channels that are added to others, or stand beside others, are filled up together with them; those that
 * something mixes or moves in another way stay as they are.
 *
 * @param fewest convolutions of fewer channels stay as they are
 */
export function padChannels(graph: OnnxGraph, fewest = FEWEST): void {
  const changes = readChannels(graph);
  const missing = ({ size, wanted }: Space) => (wanted && size >= fewest ? -size & (MULTIPLE - 1) : 0);
  const known = new Map<Space, readonly number[]>();
  const channels = (space: Space) => {
    const list = known.get(space) ?? channelsOf(space, missing);
    known.set(space, list);
    return list;
  };
  for (const change of changes) change(channels);
  dropUnused(graph);
}

/** Which channels are whose, and what has to change where some are filled up. */
function readChannels(graph: OnnxGraph): Change[] {
  const changes: Change[] = [];
  const tensors = new Map<string, Known>();
  const keep = (names: readonly string[]) => {
    for (const name of names) {
      const known = tensors.get(name);
      if (known) fix(known.space);
    }
  };
  const editor = new ConstantEditor(graph);
  for (const node of graph.nodes) {
    const own: Change[] = [];
    let given: Known | undefined;
    const rule = Object.hasOwn(rules, node.opType) ? rules[node.opType] : undefined;
    const isKept = rule?.({
      node,
      known: (input) => tensors.get(node.inputs[input] ?? ''),
      constant: (input) => graph.constants.get(node.inputs[input] ?? ''),
      give: (known) => {
        given = known;
      },
      fill: (input, axis, space, value = 0) =>
        own.push((channels) => editor.fill(node, input, axis, channels(space), value)),
      count: (input, at, space) =>
        own.push((channels) =>
          editor.list(node, input, (list) => list.map((n, i) => (i === at ? channels(space).length : n))),
        ),
      find: (input, space) =>
        own.push((channels) => {
          const places = channels(space);
          editor.list(node, input, (list) => list.map((n) => places.indexOf(n)));
        }),
      attribute: (name, space) =>
        own.push((channels) => {
          node.attributes = { ...node.attributes, [name]: BigInt(channels(space).length) };
        }),
    });
    if (isKept && given) {
      tensors.set(node.outputs[0]!, given);
      changes.push(...own);
    } else keep([...node.inputs, ...namesInside(node)]);
  }
  keep(graph.outputs.map(({ name }) => name));
  return changes;
}

/** Gives nodes constants of their own, the same one for the same change. */
class ConstantEditor {
  readonly #made = new Map<string, string>();
  constructor(readonly graph: OnnxGraph) {}

  fill(node: OnnxNode, input: number, axis: number, channels: readonly number[], value: number): void {
    if (!channels.includes(PADDING)) return;
    this.#replace(node, input, `${axis} ${channels} ${value}`, (constant) => {
      const { dims, data } = constant;
      const inner = dims.slice(axis + 1).reduce((size, d) => size * d, 1);
      const outer = dims.slice(0, axis).reduce((size, d) => size * d, 1);
      const result = new Float32Array(outer * channels.length * inner).fill(value);
      for (let o = 0; o < outer; o++)
        channels.forEach((channel, i) => {
          if (channel === PADDING) return;
          const from = (o * dims[axis]! + channel) * inner;
          result.set((data as Float32Array).subarray(from, from + inner), (o * channels.length + i) * inner);
        });
      const filled = dims.map((size, d) => (d === axis ? channels.length : size));
      return { ...constant, dims: filled, data: result };
    });
  }

  list(node: OnnxNode, input: number, change: (list: number[]) => number[]): void {
    const constant = this.graph.constants.get(node.inputs[input]!)!;
    const before = Array.from(constant.data as BigInt64Array, Number);
    const after = change(before);
    if (String(after) === String(before)) return;
    this.#replace(node, input, String(after), () => ({
      ...constant,
      data: BigInt64Array.from(after, BigInt),
    }));
  }

  #replace(node: OnnxNode, input: number, key: string, make: (constant: Constant) => Constant): void {
    const { constants } = this.graph;
    const old = node.inputs[input]!;
    const made = this.#made.get(`${old}\n${key}`);
    if (made !== undefined) {
      node.inputs[input] = made;
      return;
    }
    const base = `${old.replace(/\/filled(_\d+)?$/, '')}/filled`;
    let name = base;
    for (let i = 2; constants.has(name); i++) name = `${base}_${i}`;
    constants.set(name, { ...make(constants.get(old)!), name });
    this.#made.set(`${old}\n${key}`, name);
    node.inputs[input] = name;
  }
}
