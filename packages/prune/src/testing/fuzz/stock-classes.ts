import * as tf from '@tensorflow/tfjs';
import '@sbp/model';

/**
 * The layer classes that a cut model may hold: tfjs's own and those of @sbp/model. They are what is registered while nothing else of ours has been loaded, so
 * this file has to be imported before anything that brings @sbp/layers.
 */
export const stockClasses: ReadonlySet<string> = new Set(
  Object.keys(tf.serialization.SerializationMap.getMap().classNameMap),
);

if (stockClasses.has('LogNormalDropout'))
  throw new Error('stock-classes.ts must be imported before anything that brings @sbp/layers');
