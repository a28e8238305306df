import * as tf from '@tensorflow/tfjs';
import { ModelError } from './errors.js';

/**
 * Two copies of tfjs in one program know nothing of each other's layers and tensors, and say so in riddles.
 *
 * @throws ModelError for a model that was made with another copy than the one that @sbp/model uses, and for what is no model
 */
export function assertOurTfjs(model: tf.LayersModel): void {
  if (model instanceof tf.LayersModel) return;
  const { layers, predict } = (model ?? {}) as Partial<tf.LayersModel>;
  throw new ModelError(
    Array.isArray(layers) && typeof predict === 'function'
      ? `model '${(model as tf.LayersModel).name}' was made with another copy of @tensorflow/tfjs than the one that @sbp/model uses (${tf.version_core}); have one copy installed: npm ls @tensorflow/tfjs shows them, npm dedupe may be enough.`
      : 'what was given is no tfjs LayersModel; give one that loadModel, tf.loadLayersModel, tf.sequential or tf.model made.',
  );
}
