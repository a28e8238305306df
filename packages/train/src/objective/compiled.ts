import { type Compiled, compileConfigOf } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { metricNamed } from './figures/metrics.js';
import { type LossName, lossNamed } from './losses.js';

/** What a model's file says of an output, as far as it is known here. */
export interface CompiledOutput {
  loss?: LossName;
  lossWeight?: number;
  /** Names as the file has them. */
  metrics: string[];
  /** What is not, in a line each. */
  notes: string[];
}

/** By output, what the model's file says of its training; nothing where it doesn't. */
export function compiledOutputs(model: tf.LayersModel, names: readonly string[]): CompiledOutput[] {
  const outputs = compileConfigOf(model)?.outputs ?? [];
  return names.map((name, i) => {
    const { loss, lossWeight, metrics = [] } = outputs[i] ?? {};
    const known = loss && isUsual(loss) ? lossNamed(loss.name) : undefined;
    const [taken, left] = [metrics.filter(isKnownMetric), metrics.filter((each) => !isKnownMetric(each))];
    return {
      ...(known && { loss: known }),
      ...(lossWeight !== undefined && { lossWeight }),
      metrics: taken.map((each) => each.name),
      notes: [
        ...(loss && !known
          ? [`the model's file has the loss ${words(loss)} for '${name}', which is not known here`]
          : []),
        ...left.map(
          (each) => `the model's file has the metric ${words(each)} for '${name}', which is left out`,
        ),
      ],
    };
  });
}

const isKnownMetric = (each: Compiled) => isUsual(each) && metricNamed(each.name) !== undefined;

/** Settings that make no difference here, or only where they are not these. */
const usual: Record<string, unknown> = {
  axis: -1,
  delta: 1,
  k: 5,
  label_smoothing: 0,
  threshold: 0.5,
  num_classes: undefined,
  sparse_y_true: undefined,
  sparse_y_pred: undefined,
};

const isUsual = ({ settings = {} }: Compiled) =>
  Object.entries(settings).every(
    ([name, value]) => Object.hasOwn(usual, name) && (usual[name] === undefined || usual[name] === value),
  );

const words = ({ name, settings }: Compiled) =>
  settings ? `${name} ${JSON.stringify(settings).slice(0, 100)}` : `${name}`;
