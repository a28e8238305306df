import * as tf from '@tensorflow/tfjs';
import { PruneError } from './errors.js';

/** What tfjs's batch normalization keeps in itself. */
interface BatchNorm extends tf.layers.Layer {
  readonly axis: number | readonly number[];
  readonly epsilon: number;
  readonly gamma?: tf.LayerVariable;
  readonly beta?: tf.LayerVariable;
  readonly movingMean: tf.LayerVariable;
  readonly movingVariance: tf.LayerVariable;
}

/** One batch: the model's input, or one tensor an input in the model's order. */
export type InputBatch = tf.Tensor | readonly tf.Tensor[];

/** Sums over batches, weighted by their sizes. */
interface Statistics {
  mean: tf.Tensor;
  variance: tf.Tensor;
  examples: number;
}

/**
 * Estimates batch norm's statistics anew, which a cut changes: each layer's moving mean and variance become the means of those of the batches, weighted by their sizes,
 * while all layers normalise by their batch's own, as in training, and all else does what it does at inference. Nothing else changes; layers that are frozen are recalibrated like the others. No labels are
 * needed; some thousand examples in batches as large as in training are enough.
 *
 * @param batches read once, in order; the tensors stay the caller's, who may dispose of each as soon as the next is asked for
 * @returns how many examples were seen; 0, without reading any, for a model that has no batch norm
 * @throws PruneError where there are no batches, or statistics are not finite; the model is then as it was
 */
export async function recalibrate(
  model: tf.LayersModel,
  batches: Iterable<InputBatch> | AsyncIterable<InputBatch>,
): Promise<number> {
  const layers = batchNorms(model);
  if (layers.length === 0) return 0;
  const sums = new Map<BatchNorm, Statistics>();
  let examples = 0;
  try {
    for await (const batch of batches) {
      const xs = (Array.isArray(batch) ? batch : [batch]) as tf.Tensor[];
      examples += xs[0]!.shape[0]!;
      tf.tidy(() => withBatchStatistics(layers, sums, () => model.apply(xs.length === 1 ? xs[0]! : xs)));
    }
    if (examples === 0) throw new PruneError('recalibrate: no batches were given');
    tf.tidy(() => write(sums));
  } finally {
    for (const { mean, variance } of sums.values()) tf.dispose([mean, variance]);
  }
  return examples;
}

/** Batch norm in a model, in nested ones and in wrappers. */
function batchNorms({ layers }: { layers: tf.layers.Layer[] }): BatchNorm[] {
  const open = (layer: tf.layers.Layer): tf.layers.Layer[] => {
    if (layer instanceof tf.LayersModel) return layer.layers.flatMap(open);
    const { layer: wrapped } = layer as { layer?: tf.layers.Layer };
    return wrapped ? open(wrapped) : [layer];
  };
  const all = new Set(layers.flatMap(open));
  return [...all].filter((layer) =>
    /^(General)?BatchNormalization$/.test(layer.getClassName()),
  ) as BatchNorm[];
}

/** Runs `body` while the layers normalise by their batch's mean and variance, which are added up. */
function withBatchStatistics(
  layers: readonly BatchNorm[],
  sums: Map<BatchNorm, Statistics>,
  body: () => void,
): void {
  for (const layer of layers)
    layer.call = (inputs) =>
      tf.tidy(() => {
        const x = [inputs].flat()[0]!;
        const at = [layer.axis].flat()[0]!;
        const axis = at < 0 ? x.rank + at : at;
        const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
        const { mean, variance } = tf.moments(x, others, true);
        add(sums, layer, mean.flatten(), variance.flatten(), x.shape[0]!);
        const spread = (weight: tf.LayerVariable) => weight.read().reshape(mean.shape);
        let y = x.sub(mean).mul(variance.add(layer.epsilon).rsqrt());
        if (layer.gamma) y = y.mul(spread(layer.gamma));
        return layer.beta ? y.add(spread(layer.beta)) : y;
      });
  try {
    body();
  } finally {
    // what is left is the class's own
    for (const layer of layers) delete (layer as Partial<BatchNorm>).call;
  }
}

function add(
  sums: Map<BatchNorm, Statistics>,
  layer: BatchNorm,
  mean: tf.Tensor,
  variance: tf.Tensor,
  examples: number,
): void {
  const before = sums.get(layer);
  const sum = (all: tf.Tensor | undefined, own: tf.Tensor) => {
    const weighted = own.mul(examples);
    return tf.keep(all ? all.add(weighted) : weighted);
  };
  const now = { mean: sum(before?.mean, mean), variance: sum(before?.variance, variance) };
  tf.dispose([before?.mean, before?.variance].filter((tensor) => tensor !== undefined));
  sums.set(layer, { ...now, examples: examples + (before?.examples ?? 0) });
}

function write(sums: ReadonlyMap<BatchNorm, Statistics>): void {
  const means = [...sums].map(([layer, { mean, variance, examples }]) => ({
    layer,
    mean: mean.div(examples),
    variance: variance.div(examples),
  }));
  for (const { layer, mean, variance } of means)
    if (![mean, variance].every((each) => each.dataSync().every(Number.isFinite)))
      throw new PruneError(
        `recalibrate: what '${layer.name}' is given by these batches is not finite; the model is as it was`,
        layer.name,
      );
  for (const { layer, mean, variance } of means) {
    layer.movingMean.write(mean);
    layer.movingVariance.write(variance);
  }
}
