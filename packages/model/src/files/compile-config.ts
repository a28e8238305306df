import type * as tf from '@tensorflow/tfjs';
import { asObject } from './manifest/model-json.js';
import type { Json } from './model-file.js';
import { oneLine } from './one-line.js';

/** A loss or a metric as a file says it. */
export interface Compiled {
  /** Keras's or tfjs's name of a function or a class: `mse`, `SparseCategoricalCrossentropy`; one of the writer's own is as they called it. */
  readonly name: string;
  /** What its class was given, such as `{ delta: 2 }`, in the file's spelling. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** What a model's file says of how it was compiled, as far as it is said there. */
export interface CompileConfig {
  /** In the order of the model's outputs. */
  readonly outputs: readonly {
    readonly loss?: Compiled;
    readonly lossWeight?: number;
    readonly metrics: readonly Compiled[];
  }[];
  /** By the name of its class: `Adam`. A rate that follows a schedule is left out. */
  readonly optimizer?: { readonly name: string; readonly learningRate?: number };
}

const known = new WeakMap<tf.LayersModel, CompileConfig>();

/** How a model that `loadModel` opened was compiled by who saved it, and so of models made of it; undefined where its file doesn't say. */
export const compileConfigOf = (model: tf.LayersModel): CompileConfig | undefined => known.get(model);

/** Lets a model that was made of another one be known for compiled as that. @returns the model */
export function compiledAs<T extends tf.LayersModel>(model: T, from: tf.LayersModel): T {
  const config = known.get(from);
  if (config && from.outputs.length === model.outputs.length) known.set(model, config);
  return model;
}

/** Keeps what a file says. What can't be read of it is left out: it is no reason to refuse a model. @param names of its outputs, in their order, as the file has them */
export function keepCompileConfig(model: tf.LayersModel, said: Json | undefined, names: readonly string[]) {
  const fields = asObject(said);
  if (!fields) return;
  const count = model.outputs.length;
  const losses = byOutput(fields.loss, count, names, isEntry);
  const weights = byOutput(fields.loss_weights, count, names, (json) => typeof json === 'number');
  const metrics = byOutput(fields.metrics, count, names, isMetrics);
  const outputs = model.outputs.map((_, i) => {
    const [loss, weight] = [entryOf(losses[i]), weights[i]];
    return {
      ...(loss && { loss }),
      ...(typeof weight === 'number' && weight >= 0 && { lossWeight: weight }),
      metrics: [metrics[i] ?? []].flat(2).flatMap((metric) => entryOf(metric) ?? []),
    };
  });
  const optimizer = optimizerOf(fields.optimizer_config ?? fields.optimizer);
  if (!optimizer && outputs.every(({ loss, metrics }) => !loss && metrics.length === 0)) return;
  known.set(model, { outputs, ...(optimizer && { optimizer }) });
}

/** In the words of Keras's `training_config`, which {@link keepCompileConfig} reads. */
export function compileConfigJson(model: tf.LayersModel): Json | undefined {
  const config = known.get(model);
  if (!config) return undefined;
  const { outputs, optimizer } = config;
  const json = ({ name, settings }: Compiled): Json =>
    settings ? { class_name: name, config: { ...settings } } : name;
  return {
    loss: outputs.map(({ loss }) => (loss ? json(loss) : null)),
    loss_weights: outputs.map(({ lossWeight }) => lossWeight ?? null),
    metrics: outputs.map(({ metrics }) => metrics.map(json)),
    ...(optimizer && {
      optimizer_config: {
        class_name: optimizer.name,
        config: optimizer.learningRate === undefined ? {} : { learning_rate: optimizer.learningRate },
      },
    }),
  };
}

/** Names of a topology's outputs, in their order; none where there is only one, or the file does not say. */
export function outputNamesIn(topology: Json): string[] {
  const layers = asObject(asObject(topology)?.config)?.output_layers;
  if (!Array.isArray(layers)) return [];
  const points = typeof layers[0] === 'string' ? [layers] : layers;
  return points.map((point) => String(Array.isArray(point) ? point[0] : point));
}

/** What is said once for all outputs, or in a list of theirs, or by their names. */
function byOutput(
  json: Json | undefined,
  count: number,
  names: readonly string[],
  isOne: (json: Json) => boolean,
): (Json | undefined)[] {
  if (json === undefined || json === null) return [];
  if (isOne(json)) return Array.from({ length: count }, () => json);
  if (Array.isArray(json)) return json.length === count ? json : [];
  const said = asObject(json) ?? {};
  return Array.from({ length: count }, (_, i) =>
    Object.hasOwn(said, names[i] ?? '') ? said[names[i] as string] : undefined,
  );
}

const isEntry = (json: Json) => typeof json === 'string' || typeof asObject(json)?.class_name === 'string';
/** A list without lists in it is for all outputs alike. */
const isMetrics = (json: Json) =>
  Array.isArray(json) ? json.length > 0 && json.every(isEntry) : isEntry(json);

/** Not what is computed, but how it is shown, summed up or stored. */
const aside = new Set(['name', 'dtype', 'reduction', 'from_logits', 'fn']);

function entryOf(json: Json | undefined): Compiled | undefined {
  if (typeof json === 'string') return { name: shown(json) };
  const entry = asObject(json);
  const name = entry?.class_name;
  if (typeof name !== 'string') return undefined;
  // how Keras writes a function
  if (typeof entry?.config === 'string') return { name: shown(entry.config) };
  const config = asObject(entry?.config) ?? {};
  if (name === 'MeanMetricWrapper' || name === 'LossFunctionWrapper')
    return entryOf(config.fn) ?? { name: shown(String(config.name ?? name)) };
  if (name === '__lambda__') return { name: '<lambda>' };
  const settings = Object.entries(config).filter(
    (field): field is [string, string | number | boolean] =>
      !aside.has(field[0]) && ['string', 'number', 'boolean'].includes(typeof field[1]),
  );
  return {
    name: shown(name),
    ...(settings.length > 0 && { settings: Object.fromEntries(settings) }),
  };
}

function optimizerOf(json: Json | undefined): CompileConfig['optimizer'] {
  if (typeof json === 'string') return { name: shown(json) };
  const name = asObject(json)?.class_name;
  if (typeof name !== 'string') return undefined;
  const config = asObject(asObject(json)?.config) ?? {};
  const rate = config.learning_rate ?? config.learningRate ?? config.lr;
  return { name: shown(name), ...(typeof rate === 'number' && { learningRate: rate }) };
}

const shown = (name: string) => oneLine(name, 100);
