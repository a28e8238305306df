import * as tf from '@tensorflow/tfjs';
import { ModelFileError } from '../file-error.js';
import { quoted } from '../one-line.js';
import { checkShape, checkUses, makeLayer, setUses, useLayer, usesOf } from './make-layer.js';
import { type GraphRecord, readGraphRecord } from './topology.js';

type Link = GraphRecord['layers'][number]['inbound_nodes'][number][number];

/** A layer with the uses of it that the file tells of. */
interface Made {
  readonly layer: tf.layers.Layer;
  /** Uses that the layer has of its own: inputs and models have one. */
  readonly own: number;
  readonly uses: readonly Use[];
}

interface Use {
  readonly made: Made;
  readonly links: readonly Link[];
  /** Uses whose outputs it waits for, those that wait for it. */
  waits: number;
  readonly before: Use[];
  readonly next: Use[];
  done: boolean;
}

/**
 * A functional model from its config, as tfjs makes it, but for links that lead nowhere or in a circle: those tfjs follows for ever.
 *
 * @throws ModelFileError naming the layers
 */
export function makeGraph(cls: unknown, config: unknown): tf.LayersModel {
  const record = readGraphRecord(config);
  const all = new Map<string, Made>();
  checkUses(record.name, record.layers.length);
  record.layers.forEach((entry, position) => {
    if (all.has(entry.name))
      throw new ModelFileError(
        `two layers are called ${quoted(entry.name)}; give each a name of its own.`,
        entry.name,
      );
    const layer = makeLayer(entry, position);
    if (layer.inboundNodes.length > 0 && !(layer instanceof tf.LayersModel))
      for (const { shape } of layer.inboundNodes[0]!.outputTensors) checkShape(layer, 'gives', shape);
    const uses: Use[] = [];
    const made: Made = { layer, own: layer.inboundNodes.length, uses };
    // A use without inputs is that of an input, which it has made itself.
    for (const links of entry.inbound_nodes)
      if (links.length > 0) uses.push({ made, links, waits: 0, before: [], next: [], done: false });
    all.set(entry.name, made);
  });
  const uses = [...all.values()].flatMap(({ uses }) => uses);
  const count = uses.reduce((sum, { made }) => sum + usesOf(made.layer), 1);
  checkUses(record.name, count);
  for (const use of uses) for (const other of usesBefore(use, all)) wait(use, other);
  run(uses, all);
  const [inputs, outputs] = [record.input_layers, record.output_layers].map((ports) =>
    ports.map((port) => outputOf(port, all, 'the model')),
  ) as [tf.SymbolicTensor[], tf.SymbolicTensor[]];
  const Model = cls as new (args: object) => tf.LayersModel;
  const model = new Model({ inputs, outputs, name: record.name });
  setUses(model, count);
  return model;
}

/** The uses whose outputs a use takes, and the layer's use before it: their order counts them. */
function usesBefore(use: Use, all: ReadonlyMap<string, Made>): Use[] {
  const { made, links } = use;
  const before = links.flatMap(([name, index]) => {
    const from = all.get(name);
    if (!from)
      throw new ModelFileError(
        `layer ${quoted(made.layer.name)} takes its input from ${quoted(name)}, and there is no such layer; save the model anew.`,
        made.layer.name,
      );
    if (index < from.own) return [];
    const other = from.uses[index - from.own];
    if (!other)
      throw new ModelFileError(
        `layer ${quoted(made.layer.name)} takes its input from use ${index} of ${quoted(name)}, which has ${from.own + from.uses.length}; save the model anew.`,
        made.layer.name,
      );
    return [other];
  });
  const previous = made.uses[made.uses.indexOf(use) - 1];
  return previous ? [...before, previous] : before;
}

function wait(use: Use, other: Use): void {
  use.waits++;
  use.before.push(other);
  other.next.push(use);
}

function run(uses: readonly Use[], all: ReadonlyMap<string, Made>): void {
  const ready = uses.filter(({ waits }) => waits === 0);
  // Grows while it is walked.
  for (const use of ready) {
    const { layer } = use.made;
    const tensors = use.links.map((link) => outputOf(link, all, `layer ${quoted(layer.name)}`));
    const options = use.links.at(-1)?.[3] ?? {};
    useLayer(layer, () => layer.apply(tensors.length === 1 ? tensors[0]! : tensors, options));
    use.done = true;
    for (const next of use.next) if (--next.waits === 0) ready.push(next);
  }
  const stuck = uses.find(({ done }) => !done);
  if (stuck) throw circle(stuck);
}

/** Whoever waits, waits for someone who waits: sooner or later the same one again. */
function circle(stuck: Use): ModelFileError {
  const path: Use[] = [];
  let at = stuck;
  while (!path.includes(at)) {
    path.push(at);
    at = at.before.find(({ done }) => !done)!;
  }
  const names = path.slice(path.indexOf(at)).map(({ made }) => quoted(made.layer.name));
  const shown = names.length > 4 ? [...names.slice(0, 3), '…'] : names;
  return new ModelFileError(
    names.length === 1
      ? `layer ${names[0]} takes its own output as its input; save the model anew.`
      : `layers ${shown.join(', ')} take their inputs from each other in a circle; save the model anew.`,
    at.made.layer.name,
  );
}

function outputOf(
  [name, use, index]: readonly [string, number, number, ...unknown[]],
  all: ReadonlyMap<string, Made>,
  who: string,
): tf.SymbolicTensor {
  const tensor = all.get(name)?.layer.inboundNodes[use]?.outputTensors[index];
  if (tensor) return tensor;
  throw new ModelFileError(
    `${who} asks for output ${index} of use ${use} of ${quoted(name)}, and there is no such output; save the model anew.`,
  );
}
