import '@sbp/layers';
import '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { kinds } from './registry.js';

/** No layers of a graph: models and what is inside of recurrent layers; and what opens TimeDistributed is the walk. */
const others =
  `InputLayer Model Functional Sequential SimpleRNNCell GRUCell GeneralGRUCell LSTMCell StackedRNNCells ConvLSTM2DCell
  TimeDistributed`.split(/\s+/);

it('has an entry for every class of layers that tfjs, @sbp/model and @sbp/layers register', () => {
  const classes = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap);
  const layers = classes.filter(([, [layer]]) => layer.prototype instanceof tf.layers.Layer);
  expect(layers.length).toBeGreaterThan(100);
  const names = layers.map(([name]) => name).filter((name) => !others.includes(name));
  expect(names.filter((name) => !Object.hasOwn(kinds, name))).toEqual([]);
  expect(Object.keys(kinds).filter((name) => !names.includes(name))).toEqual([]);
});
