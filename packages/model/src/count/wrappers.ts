import type * as tf from '@tensorflow/tfjs';
import type { MacsTable } from './layer-use.js';

type Layer = tf.layers.Layer;

/** Layers that run others. */
export const wrappers: MacsTable = {
  TimeDistributed: ({ layer, inputs: [input], inner }) => {
    const [steps, ...each] = input!;
    return steps! * inner((layer as Layer & { layer: Layer }).layer, [each]);
  },
  Bidirectional: ({ layer, inputs, inner }) => {
    const { forwardLayer, backwardLayer } = layer as Layer & Record<'forwardLayer' | 'backwardLayer', Layer>;
    return inner(forwardLayer, inputs) + inner(backwardLayer, inputs);
  },
};
