import * as z from 'zod';
import { ModelFileError } from '../file-error.js';
import type { Json } from '../model-file.js';
import { quoted, shownValue } from '../one-line.js';
import { problemOf } from '../problem.js';

const index = z.number().int().nonnegative().max(1_000_000);
const name = z.string().min(1).max(500);

/** One layer's output as another layer takes it: layer, which of its uses, which of the outputs, further arguments of the call. */
const link = z.union([
  z.tuple([name, index, index]),
  z.tuple([name, index, index, z.record(z.string(), z.unknown()).nullable()]),
]);

const layer = z.object({
  class_name: name,
  name: name.optional(),
  config: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]),
});

const graphLayer = layer.extend({ name, inbound_nodes: z.array(z.array(link)) });

const port = z.tuple([name, index, index]);

const graph = z.object({
  name: name.optional(),
  layers: z.array(graphLayer).min(1),
  input_layers: z.array(port).min(1),
  output_layers: z.array(port).min(1),
});

const sequence = z.object({ name: name.optional(), layers: z.array(layer).min(1) });

export type LayerRecord = z.infer<typeof layer>;
export type GraphRecord = z.infer<typeof graph>;
export type SequenceRecord = z.infer<typeof sequence>;

// tfjs writes its own names where Keras's stand in the file.
const inFile: Record<string, string> = {
  className: 'class_name',
  inboundNodes: 'inbound_nodes',
  inputLayers: 'input_layers',
  outputLayers: 'output_layers',
};

/**
 * The config of a functional model.
 *
 * @param config as tfjs hands it on
 * @throws ModelFileError naming the field that is wrong
 */
export function readGraphRecord(config: unknown): GraphRecord {
  return read(graph, renamed(config));
}

/** The config of a sequential model, which may be the list of its layers. */
export function readSequenceRecord(config: unknown): SequenceRecord {
  return read(sequence, renamed(Array.isArray(config) ? { layers: config } : config));
}

function read<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new ModelFileError(`${problemOf(result.error, input, 'config')}`);
}

function renamed(config: unknown): unknown {
  const rename = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([key, field]) => [inFile[key] ?? key, field]))
      : value;
  const record = rename(config) as { layers?: unknown };
  return Array.isArray(record?.layers) ? { ...record, layers: record.layers.map(rename) } : record;
}

/** A wrapper makes its layer anew, Bidirectional even three times. */
const mostWrappers = 6;
/** What a layer remembers from batch to batch is allocated with the layer. */
const mostStateful = 1024;

/**
 * Refuses what would keep tfjs busy, or take memory, before any of its layers is there to say so.
 *
 * @throws ModelFileError
 */
export function checkTopology(topology: Json): void {
  let stateful = false;
  let batch = 0;
  const pending: { value: Json; wrappers: number }[] = [{ value: topology, wrappers: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, wrappers } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) pending.push({ value: item, wrappers });
      continue;
    }
    if (wrappers > mostWrappers)
      throw new ModelFileError(`it has layers in more than ${mostWrappers} wrappers; save the model anew.`);
    const own =
      typeof value.class_name === 'string' && Array.isArray((value.config as { layers?: Json })?.layers);
    for (const [key, field] of Object.entries(value)) {
      if (key === 'stateful' && field === true) stateful = true;
      if (key === 'batch_input_shape') batch = Math.max(batch, batchOf(field, value));
      const wraps = wrapping.has(key) && typeof field === 'object' && field !== null && 'class_name' in field;
      pending.push({ value: field, wrappers: own ? 0 : wrappers + (wraps ? 1 : 0) });
    }
  }
  if (stateful && batch > mostStateful)
    throw new ModelFileError(
      `it has stateful layers and batches of ${batch}; expected at most ${mostStateful} examples in a batch.`,
    );
}

const wrapping = new Set(['layer', 'backward_layer', 'cell', 'cells']);

function batchOf(shape: Json, { name }: { [key: string]: Json }): number {
  const isSize = (size: Json) => size === null || (Number.isSafeInteger(size) && (size as number) > 0);
  if (shape === null) return 0;
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every(isSize))
    throw new ModelFileError(
      `layer ${quoted(String(name ?? ''))}: batch_input_shape is ${shownValue(shape)}; expected whole numbers above 0, or null where a size is open.`,
    );
  return (shape[0] as number | null) ?? 0;
}
