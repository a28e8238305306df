import * as tf from '@tensorflow/tfjs';
import { ModelError } from '../../errors.js';
import { keepCompileConfig, outputNamesIn } from '../compile-config.js';
import { ModelFileError } from '../file-error.js';
import type { Json, ModelFile } from '../model-file.js';
import { quoted } from '../one-line.js';
import { guarded, registry } from './guard.js';
import { makeGraph } from './make-graph.js';
import { reason } from './make-layer.js';
import { makeSequence } from './make-sequence.js';
import { setWeights } from './set-weights.js';
import { checkTopology } from './topology.js';

/**
 * The model of a file in tfjs's own dialect.
 *
 * @throws ModelFileError naming the layer or the weight
 */
export async function buildModel(file: ModelFile): Promise<tf.LayersModel> {
  const { made, dispose } = make(file);
  try {
    const model = await made;
    setWeights(model, file.weights);
    await compileAsSaved(model, file);
    keepCompileConfig(
      model,
      file.compileConfig ?? file.trainingConfig,
      file.outputNames ?? outputNamesIn(file.topology),
    );
    if (typeof file.metadata === 'object' && file.metadata !== null)
      model.setUserDefinedMetadata(file.metadata);
    return model;
  } catch (error) {
    dispose();
    if (error instanceof ModelError) throw error;
    throw new ModelFileError(reason(error), undefined, { cause: error });
  }
}

function make({ topology, weights }: ModelFile) {
  const name = (topology as { class_name?: Json } | null)?.class_name;
  const cls = typeof name === 'string' && Object.hasOwn(registry(), name) ? registry()[name]![0] : undefined;
  if (cls !== (tf.LayersModel as unknown) && !(cls?.prototype instanceof tf.LayersModel))
    throw new ModelFileError(
      `its modelTopology is of the class ${typeof name === 'string' ? quoted(name) : 'that it leaves out'}; expected 'Functional', 'Model' or 'Sequential'.`,
    );
  checkTopology(topology);
  // modelFromJSON does all its work before it gives back its promise, and never throws but in it.
  return guarded(weights, { graph: makeGraph, sequence: makeSequence }, () =>
    tf.models.modelFromJSON(topology as unknown as tf.ModelAndWeightsConfig),
  );
}

/** Only for going on with its training, so that a loss which tfjs lacks is no reason to refuse it. */
async function compileAsSaved(
  model: tf.LayersModel,
  { trainingConfig, optimizerWeights = [] }: ModelFile,
): Promise<void> {
  if (typeof trainingConfig !== 'object' || trainingConfig === null) return;
  try {
    model.loadTrainingConfig(trainingConfig as unknown as Parameters<typeof model.loadTrainingConfig>[0]);
  } catch {
    return;
  }
  const named = optimizerWeights.map(({ name, data, shape, dtype }) => ({
    name,
    tensor: tf.tensor(data, [...shape], dtype),
  }));
  if (named.length > 0) await model.optimizer.setWeights(named);
  tf.dispose(named.map(({ tensor }) => tensor));
}
