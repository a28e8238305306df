import * as tf from '@tensorflow/tfjs';
import { ModelFileError } from '../file-error.js';
import { quoted } from '../one-line.js';
import { makeLayer, setUses, useLayer, usesOf } from './make-layer.js';
import { readSequenceRecord } from './topology.js';

/**
 * A sequential model from its config, as tfjs makes it.
 *
 * @throws ModelFileError naming the layer
 */
export function makeSequence(_cls: unknown, config: unknown): tf.Sequential {
  const { name, layers } = readSequenceRecord(config);
  const model = new tf.Sequential({ name });
  let uses = 0;
  const names = new Set<string>();
  layers.forEach((record, position) => {
    const layer = makeLayer(record, position);
    if (names.has(layer.name))
      throw new ModelFileError(
        `two layers are called ${quoted(layer.name)}; give each a name of its own.`,
        layer.name,
      );
    names.add(layer.name);
    useLayer(layer, () => model.add(layer));
    uses += usesOf(layer);
  });
  setUses(model, uses);
  return model;
}
