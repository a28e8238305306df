import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { variationalsOf } from '@sbp/layers';
import { loadModel } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { budgets } from '../config/run-fields.js';
import { UsageError } from '../words/failure.js';
import type { Run } from './run.js';
import { runPaths } from './run-folder.js';
import { checkSealed } from './seals.js';

/**
 * Folder of the trained network that a run starts from.
 *
 * @param file the config that asks for it: one of the other run is likely to lie beside it
 * @throws UsageError that names the command which makes it
 */
export function startingPoint(from: string, { runs, file }: Pick<Run, 'runs' | 'file'>): string {
  const { folder, trained, training } = runPaths(join(runs, from));
  if (existsSync(training)) {
    checkSealed(trained);
    return trained;
  }
  const budget = budgets.find((one) => from.endsWith(`-${one}`));
  const name = from.replace(new RegExp(`-${budget}$`), '').replace(/-\d+$/, '');
  const likely = join(dirname(file), `${name}.json`);
  const command = `sbp train ${existsSync(likely) ? likely : '<its config>'} --runs ${runs}${budget ? ` --budget ${budget}` : ''}`;
  const found = existsSync(folder) ? 'is not trained to its end' : 'is not there';
  throw new UsageError(`${folder} ${found}, and ${file} starts from it; make it first: ${command}`);
}

/**
 * Copies trained weights into a network, by the names of layers and weights. Noise stays as it is, on either side.
 *
 * @throws UsageError for a weight that the network does not have, or has in another shape
 */
export async function startFrom(folder: string, model: tf.LayersModel): Promise<void> {
  const source = await loadModel(folder);
  const noise = new Set(variationalsOf(source).flatMap(({ parameters }) => parameters));
  const targets = new Map(model.weights.map((weight) => [weight.originalName, weight]));
  for (const weight of source.weights) {
    if (noise.has(weight)) continue;
    const target = targets.get(weight.originalName);
    const shape = weight.shape.join('×');
    if (target?.shape.join('×') !== shape)
      throw new UsageError(
        `${folder} has ${weight.originalName} of ${shape}, the network ${target ? `one of ${target.shape.join('×')}` : 'none'}; start from a run of the same net.`,
      );
    target.write(weight.read());
  }
  source.dispose();
}
