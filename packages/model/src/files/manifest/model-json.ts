import * as z from 'zod';
import { ModelFileError } from '../file-error.js';
import type { Json } from '../model-file.js';
import { problemOf } from '../problem.js';

const size = z.number().int().nonnegative();

const weightSpec = z.object({
  name: z.string().min(1).max(1000),
  shape: z.array(size).max(8),
  dtype: z.enum(['float32', 'int32', 'bool']),
  group: z.string().optional(),
  quantization: z
    .discriminatedUnion('dtype', [
      z.object({ dtype: z.literal('float16') }),
      z.object({ dtype: z.enum(['uint8', 'uint16']), scale: z.number(), min: z.number() }),
    ])
    .optional(),
});

const manifest = z.array(
  z.object({ paths: z.array(z.string()).max(10_000), weights: z.array(weightSpec).max(100_000) }),
);

/** One weight as the manifest describes it. */
export type WeightSpec = z.infer<typeof weightSpec>;

/** Weights that lie one behind the other in a run of bytes, which is cut into files. */
export type WeightGroup = z.infer<typeof manifest>[number];

/** What a `model.json` holds. */
export interface ModelJson {
  /** Nothing is known of it but that it is an object. */
  readonly topology: { [key: string]: Json };
  readonly manifest: readonly WeightGroup[];
  readonly trainingConfig?: Json;
  readonly compileConfig?: Json;
  readonly generatedBy?: string;
  readonly metadata?: Json;
}

/**
 * @param origin begins messages
 * @throws ModelFileError naming the field that is wrong
 */
export function readModelJson(json: Json, origin: string): ModelJson {
  const wrong = (found: string) =>
    new ModelFileError(
      `${origin} ${found}; expected a tfjs layers model, as sbp train, tf.LayersModel.save and tensorflowjs_converter write it.`,
    );
  const fields = asObject(json) ?? {};
  if (fields.format === 'graph-model')
    throw new ModelFileError(
      `${origin} is a graph model; expected a layers model: convert the Keras model with tensorflowjs_converter --input_format=keras, or give its .keras or .h5 file itself.`,
    );
  const topology = asObject(fields.modelTopology);
  if (!topology) {
    if (asObject(fields.config) && typeof fields.class_name === 'string')
      throw wrong('is a topology without weights, as to_json writes it');
    throw wrong('has no modelTopology');
  }
  if (typeof fields.weightsManifest !== 'object' || fields.weightsManifest === null)
    throw wrong('has no weightsManifest');
  const groups = manifest.safeParse(fields.weightsManifest);
  if (!groups.success)
    throw new ModelFileError(
      `${origin} does not open: ${problemOf(groups.error, fields.weightsManifest, 'weightsManifest')}.`,
    );
  return {
    topology: asObject(topology.model_config) ?? topology,
    manifest: groups.data,
    trainingConfig: fields.trainingConfig ?? topology.training_config,
    ...(fields.compileConfig !== undefined && { compileConfig: fields.compileConfig }),
    ...(typeof fields.generatedBy === 'string' && { generatedBy: fields.generatedBy }),
    ...(fields.userDefinedMetadata !== undefined && { metadata: fields.userDefinedMetadata }),
  };
}

/** The value as an object; undefined for everything else. */
export function asObject(value: Json | undefined): { [key: string]: Json } | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}
