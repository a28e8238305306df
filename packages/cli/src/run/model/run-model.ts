import { existsSync } from 'node:fs';
import { noisesOf } from '@sbp/layers';
import { loadModel, saveModel } from '@sbp/model';
import { foldNoise, PruneError, withNoise } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import { paperNet } from '../../config/paper-nets.js';
import type { RunConfig } from '../../config/run-config.js';
import { UsageError } from '../../words/failure.js';
import type { RunPaths } from '../run-folder.js';
import { damageIn, seal } from '../seals.js';
import { buildNet, netWidths, plainNet, weighed } from './nets.js';

/**
 * The config's model as it is before the run: a network of the paper's untrained; a person's own as its file has it, or as it was kept when the run
 * began.
 */
export async function modelAsItIs(config: RunConfig, paths: RunPaths): Promise<tf.LayersModel> {
  const net = paperNet(config.model);
  if (net) return plainNet(net, config);
  const { folder, original } = paths;
  const damage = damageIn(folder, KEEP);
  if (damage?.isSeal) seal(folder, KEEP, [original]);
  if (!damage || damage.isSeal) return loadModel(existsSync(original) ? original : config.model);
  const model = await loadModel(config.model);
  await saveModel(model, original);
  if (!damageIn(folder, KEEP)) return model;
  throw new UsageError(
    `${damage.file} is damaged (${damage.why}), and ${config.model} is no longer the model that the run began with; put that back, or give another --name.`,
  );
}

/** The step that keeps a person's own model. */
export const KEEP = 'original';

/** What the run is measured beside: the model as it is, without noise of its own. */
export async function originalModel(config: RunConfig, paths: RunPaths): Promise<tf.LayersModel> {
  const model = await modelAsItIs(config, paths);
  return noisesOf(model).length > 0 ? foldNoise(model) : model;
}

/** The config's model as its method trains it, to be trained on so many examples. */
export async function modelFor(
  config: RunConfig,
  paths: RunPaths,
  trainExamples: number,
): Promise<tf.LayersModel> {
  const net = paperNet(config.model);
  const model = net ? buildNet(net, config, trainExamples) : await ownModel(config, paths, trainExamples);
  if (config.freezeBatchNorm) setBatchNormTrainable(model, false);
  return model;
}

/** With noise on all that can go; what has noise already keeps it, and its settings. */
async function ownModel(config: RunConfig, paths: RunPaths, trainExamples: number): Promise<tf.LayersModel> {
  const model = await modelAsItIs(config, paths);
  if (config.method === 'original' || noisesOf(model).length > 0) return model;
  const noisy = weighed(config.noise, (noise) => withNoise(model, { ...noise, trainExamples }));
  model.dispose();
  return noisy;
}

/** Whether the trainer trains the network's batch norm, or leaves it as it is. */
export function setBatchNormTrainable(model: tf.LayersModel, trainable: boolean): void {
  for (const layer of model.layers)
    if (layer.getClassName() === 'BatchNormalization') layer.trainable = trainable;
}

/** Groups that can go of each part of the model, as noise would be put on them; none where nothing can. */
export function widthsOf(config: RunConfig, original: tf.LayersModel): number[] {
  const net = paperNet(config.model);
  if (net) return netWidths(net, config);
  try {
    const noisy = withNoise(original);
    const widths = noisesOf(noisy).map(({ groups }) => groups);
    noisy.dispose();
    return widths;
  } catch (error) {
    if (error instanceof PruneError) return [];
    throw error;
  }
}
