import { readGraph } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';

/** The model as lines to read, a layer each: name, class, what of its config is its own, what it reads, what it gives. */
export function describe(model: tf.LayersModel): string {
  const { inputs, nodes, outputs } = readGraph(model);
  const names = new Map(inputs.map(({ id }, i) => [id, model.inputNames[i]!]));
  for (const { name, outputs } of nodes)
    for (const { id, index } of outputs) names.set(id, index === 0 ? name : `${name}:${index}`);
  const size = (shape: readonly (number | null)[]) => `[${shape.join(',')}]`;
  return [
    ...inputs.map(({ shape, dtype }, i) => `${model.inputNames[i]} ${dtype} ${size(shape)}`),
    ...nodes.map(({ name, layer, inputs, outputs, trainable }) => {
      const from = inputs.map(({ id }) => names.get(id)).join(', ');
      const frozen = trainable ? '' : ' frozen';
      return `${name} = ${layer.getClassName()}${settings(layer)}${frozen} ← ${from} → ${outputs.map(({ shape }) => size(shape)).join(' ')}`;
    }),
    `outputs: ${outputs.map(({ id }) => names.get(id)).join(', ')}`,
  ].join('\n');
}

const dull =
  /Initializer|Regularizer|Constraint|^name$|^dtype$|^trainable$|^batchInputShape$|^noise$|^layer$|^vd$/;

function settings(layer: tf.layers.Layer): string {
  const own = Object.entries(layer.getConfig()).filter(
    ([key, value]) =>
      !dull.test(key) && value !== null && value !== undefined && value !== false && value !== 'channelsLast',
  );
  return own.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(own)).replace(/"/g, '')}`;
}
