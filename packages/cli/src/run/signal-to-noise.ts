import { existsSync } from 'node:fs';
import type { LayerSnr } from '@sbp/bench';
import { noisesOf } from '@sbp/layers';
import { loadModel } from '@sbp/model';
import type { RunConfig } from '../config/run-config.js';
import type { RunPaths } from './run-folder.js';

/**
 * Signal-to-noise ratios of the groups of a run's trained network, by noise layer; undefined where its method has none, or the trained network is not
 * there.
 */
export async function trainedSnr(
  { method }: RunConfig,
  { trained }: RunPaths,
): Promise<LayerSnr[] | undefined> {
  if (method !== 'structured-bp' || !existsSync(trained)) return undefined;
  const model = await loadModel(trained);
  const layers = noisesOf(model).map((noise) => {
    const { snr, threshold } = noise.values();
    return { name: noise.layer.name, snr, threshold };
  });
  model.dispose();
  return layers;
}
