import { leNet5, leNetFc, type NetOptions, noisesOf, vggDropout, vggLike, withDropout } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { UsageError } from './failure.js';
import type { RunConfig } from './run-config.js';

const titles = { lenet5: 'LeNet-5', 'lenet-fc': 'LeNet-fc', 'vgg-like': 'VGG-like' } as const;

/** What people call the config's network. */
export const netTitle = ({ net, scale }: Pick<RunConfig, 'net' | 'scale'>) =>
  scale === undefined ? titles[net] : `${titles[net]} × ${scale}`;

/** What the tables call the methods. */
export const methodTitles: Record<RunConfig['method'], string> = {
  original: 'Original',
  'sparse-vd': 'SparseVD',
  ssl: 'SSL',
  'structured-bp': 'StructuredBP',
};

/** The config's network as its method trains it, to be trained on so many examples; dropout comes with the training. */
export function buildNet(config: RunConfig, trainExamples: number): tf.LayersModel {
  const model = buildForMethod(config, trainExamples);
  if (config.freezeBatchNorm) setBatchNormTrainable(model, false);
  return model;
}

/** Whether the trainer trains the network's batch norm, or leaves it as it is. */
export function setBatchNormTrainable(model: tf.LayersModel, trainable: boolean): void {
  for (const layer of model.layers)
    if (layer.getClassName() === 'BatchNormalization') layer.trainable = trainable;
}

function buildForMethod(config: RunConfig, trainExamples: number): tf.LayersModel {
  switch (config.method) {
    case 'original':
      return plainNet(config);
    case 'sparse-vd':
      return build(config, { sparseVd: { ...config.sparseVd, trainExamples } });
    case 'ssl':
      return penalizedNet(config);
    case 'structured-bp':
      return noisyNet(config, trainExamples);
  }
}

function noisyNet(config: RunConfig, trainExamples: number): tf.LayersModel {
  const { klWeight, ...noise } = config.noise;
  if (typeof klWeight !== 'object') return build(config, { noise: { ...noise, klWeight, trainExamples } });
  const model = build(config, { noise: { ...noise, klWeight: 1, trainExamples } });
  weighLayers(model, klWeight);
  return model;
}

/** The config's network without noise, from the same initial weights. */
export function plainNet(config: RunConfig): tf.LayersModel {
  return build(config, { noise: false });
}

/** Groups of each of the network's noise layers, as the paper counts widths, also where there is no noise. */
export function netWidths(config: RunConfig): number[] {
  const noisy = build(config, { noise: {} });
  const widths = noisesOf(noisy).map(({ groups }) => groups);
  noisy.dispose();
  return widths;
}

function build({ net, scale, train: { seed } }: RunConfig, method: Omit<NetOptions, 'seed'>): tf.LayersModel {
  const options = { ...method, seed };
  if (net === 'vgg-like') return vggLike({ ...options, ...(scale !== undefined && { scale }) });
  return net === 'lenet5' ? leNet5(options) : leNetFc(options);
}

function penalizedNet(config: RunConfig): tf.LayersModel {
  const model = build(config, { groupLasso: config.groupLasso });
  const names = model.layers.filter((layer) => layer.countParams() > 0).map(({ name }) => name);
  for (const kind of ['filters', 'channels'] as const)
    if (typeof config.groupLasso[kind] === 'object')
      checkNames(`groupLasso.${kind}`, config.groupLasso[kind], names, 'layer with weights');
  return model;
}

/** @throws UsageError for a layer that is not there */
function checkNames(field: string, given: Record<string, unknown>, names: string[], kind: string): void {
  const stray = Object.keys(given).find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new UsageError(
      `${field} has '${stray}', and the network no ${kind} of that name; there are ${names.join(', ')}.`,
    );
}

function weighLayers(model: tf.LayersModel, weights: Record<string, number>): void {
  const noises = noisesOf(model);
  const names = noises.map(({ layer }) => layer.name);
  checkNames('noise.klWeight', weights, names, 'noise layer');
  for (const { layer, config } of noises) config.klWeight = weights[layer.name] ?? 1;
}

/** The config's network as it is trained: with its published dropout, which saved networks are without. */
export const dressedFor = ({ dropout }: RunConfig) =>
  dropout ? { dressed: (model: tf.LayersModel) => withDropout(model, vggDropout) } : {};
