import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import '../index.js';
import { macsEntry } from './registry.js';

it('has an entry for every class of layers that is registered', () => {
  const registered = tf.serialization.SerializationMap.getMap().classNameMap;
  const layers = Object.entries(registered).filter(
    ([, [type]]) =>
      type.prototype instanceof tf.layers.Layer &&
      !(type.prototype instanceof tf.LayersModel) &&
      (type as unknown) !== tf.LayersModel,
  );
  expect(layers.length).toBeGreaterThan(60);
  expect(layers.map(([name]) => name).filter((name) => macsEntry(name) === undefined)).toEqual([]);
});
