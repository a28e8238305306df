import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { modelFiles } from './files/model-files.js';
import { readGraph } from './graph/graph.js';
import { loadModel } from './load-model.js';
import { assertOurTfjs } from './our-tfjs.js';

beforeAll(() => tf.setBackend('cpu'));

/** The same package, loaded once more. */
function anotherTfjs(): typeof tf {
  const require = createRequire(import.meta.url);
  const loaded = Object.keys(require.cache);
  const kept = loaded.map((path) => [path, require.cache[path]] as const);
  for (const path of loaded) delete require.cache[path];
  // It says of each kernel that it is there already.
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  try {
    return require('@tensorflow/tfjs');
  } finally {
    warn.mockRestore();
    for (const path of Object.keys(require.cache)) delete require.cache[path];
    for (const [path, module] of kept) require.cache[path] = module;
  }
}

const net = (tfjs: typeof tf, name: string) =>
  tfjs.sequential({ name: 'net', layers: [tfjs.layers.dense({ units: 2, inputShape: [3], name })] });

describe('a model of another copy of tfjs', () => {
  const other = anotherTfjs();
  const line =
    /^model 'net' was made with another copy of @tensorflow\/tfjs than the one that @sbp\/model uses \(4\.\d+\.\d+\); have one copy installed: npm ls/;

  it('is recognised and said in one line, by whatever reads its graph or saves it', async () => {
    expect(other.LayersModel).not.toBe(tf.LayersModel);
    const theirs = net(other, 'theirs');
    expect(() => assertOurTfjs(theirs)).toThrow(line);
    expect(() => readGraph(theirs)).toThrow(line);
    await expect(modelFiles(theirs)).rejects.toThrow(line);
  });

  it('is named, too, where its weights have the names of those that are to be loaded', async () => {
    const files = await modelFiles(net(tf, 'both'));
    const dropped = Object.entries(files).map(
      ([name, bytes]) => new File([bytes as Uint8Array<ArrayBuffer>], name),
    );
    net(other, 'taken');
    const named = JSON.parse(new TextDecoder().decode(files['model.json']).replaceAll('both', 'taken'));
    const taken = [new File([JSON.stringify(named)], 'model.json'), dropped[1]!];
    await expect(loadModel(taken)).rejects.toThrow(
      /model\.json does not open: layer 'taken': another copy of @tensorflow\/tfjs in this program has weights of the same names/,
    );
  });

  it('is not what a model of ours is, nor what is no model', () => {
    expect(() => assertOurTfjs(net(tf, 'ours'))).not.toThrow();
    for (const value of [undefined, null, {}, 'net', tf.layers.dense({ units: 1 })])
      expect(() => assertOurTfjs(value as tf.LayersModel)).toThrow(
        /is no tfjs LayersModel; give one that loadModel/,
      );
  });
});
