import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { layerEntries, refusals } from './layers/registry.js';
import { layerCases } from './testing/layer-cases.js';
import { ourCases } from './testing/our-cases.js';

/** Models and their inputs: the graph has what they hold. */
const opened = ['InputLayer', 'Model', 'Functional', 'Sequential'];

const registered = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap)
  .filter(([, [layer]]) => (layer as { prototype: unknown }).prototype instanceof tf.layers.Layer)
  .map(([name]) => name)
  .filter((name) => !opened.includes(name));

describe('the registry of layers', () => {
  it.each(registered)('has %s, or says why not', (name) => {
    const known = [layerEntries, refusals].filter((table) => Object.hasOwn(table, name));
    expect(known).toHaveLength(1);
  });

  it('has each of its layers tried', () => {
    expect(registered.length).toBeGreaterThan(60);
    // tfjs's own Resizing can't run within a model; its test calls it by hand.
    const known = registered.filter((name) => Object.hasOwn(layerEntries, name) && name !== 'Resizing');
    expect(known.filter((name) => !Object.hasOwn({ ...layerCases, ...ourCases }, name))).toEqual([]);
  });
});
