import type * as tf from '@tensorflow/tfjs';
import { stockLayer } from '../stock.js';
import { NoiseConfigError, variationalsOf } from '../variational.js';

/** tfjs's layers that run another one, by the fields that hold it. */
const holders = { TimeDistributed: ['layer'], Bidirectional: ['forwardLayer', 'backwardLayer'] };

interface Holder extends tf.layers.Layer {
  build(inputShape: tf.Shape | tf.Shape[]): void;
  [field: string]: unknown;
}

/**
 * Makes tfjs's wrappers refuse layers with noise when they are built: noise in there would draw and count anew at each step, and whoever walks through a
 * model's layers would not see it. tfjs tells the layer inside nothing of its wrapper, so the wrappers' own `build` has to look.
 */
export function refuseNoiseInWrappers(): void {
  for (const [className, fields] of Object.entries(holders)) {
    const { prototype } = stockLayer(className) as unknown as { prototype: Holder };
    const { build } = prototype;
    prototype.build = function (this: Holder, inputShape) {
      for (const field of fields) check(this, this[field] as tf.layers.Layer);
      return build.call(this, inputShape);
    };
  }
}

function check(holder: tf.layers.Layer, held: tf.layers.Layer): void {
  const [noise] = variationalsOf({ layers: [held] });
  if (noise === undefined) return;
  throw new NoiseConfigError(
    `${noise.layer.name}: noise can't be inside '${holder.name}' (${holder.getClassName()}), where it is not seen; put logNormalDropout behind it, which takes steps, too.`,
  );
}
