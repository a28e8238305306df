import { type NetOptions, noisesOf, withDropout } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { type PaperNet, paperNet } from '../../config/paper-nets.js';
import type { RunConfig } from '../../config/run-config.js';
import { UsageError } from '../../words/failure.js';

/** One of the paper's networks as the config's method trains it, to be trained on so many examples; dropout comes with the training. */
export function buildNet(net: PaperNet, config: RunConfig, trainExamples: number): tf.LayersModel {
  switch (config.method) {
    case 'original':
      return plainNet(net, config);
    case 'sparse-vd':
      return build(net, config, { sparseVd: { ...config.sparseVd, trainExamples } });
    case 'ssl':
      return penalizedNet(net, config);
    case 'structured-bp':
      return noisyNet(net, config, trainExamples);
  }
}

function noisyNet(net: PaperNet, config: RunConfig, trainExamples: number): tf.LayersModel {
  return weighed(config.noise, (noise) => build(net, config, { noise: { ...noise, trainExamples } }));
}

/** The network without noise, from the same initial weights. */
export function plainNet(net: PaperNet, config: RunConfig): tf.LayersModel {
  return build(net, config, { noise: false });
}

/** Groups of each of the network's noise layers, as the paper counts widths, also where there is no noise. */
export function netWidths(net: PaperNet, config: RunConfig): number[] {
  const noisy = build(net, config, { noise: {} });
  const widths = noisesOf(noisy).map(({ groups }) => groups);
  noisy.dispose();
  return widths;
}

function build(
  net: PaperNet,
  { scale, train: { seed } }: RunConfig,
  method: Omit<NetOptions, 'seed'>,
): tf.LayersModel {
  return net.build({ ...method, seed, ...(scale !== undefined && { scale }) });
}

function penalizedNet(net: PaperNet, config: RunConfig): tf.LayersModel {
  const model = build(net, config, { groupLasso: config.groupLasso });
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

/** A model with noise, whose KL weighs by layer where the config says so. */
export function weighed(
  { klWeight, ...noise }: RunConfig['noise'],
  build: (noise: Omit<RunConfig['noise'], 'klWeight'> & { klWeight: 'macs' | number }) => tf.LayersModel,
): tf.LayersModel {
  if (typeof klWeight !== 'object') return build({ ...noise, klWeight });
  const model = build({ ...noise, klWeight: 1 });
  const noises = noisesOf(model);
  const names = noises.map(({ layer }) => layer.name);
  checkNames('noise.klWeight', klWeight, names, 'noise layer');
  for (const { layer, config } of noises) config.klWeight = klWeight[layer.name] ?? 1;
  return model;
}

/** The config's network as it is trained: with its published dropout, which saved networks are without. */
export function dressedFor({ dropout, model }: RunConfig): {
  dressed?: (model: tf.LayersModel) => tf.LayersModel;
} {
  const rates = paperNet(model)?.dropout;
  return dropout && rates ? { dressed: (plain) => withDropout(plain, rates) } : {};
}
