import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { readGraph } from './graph.js';

test('nested models are opened, a shared layer has a node for each use, and open sizes are filled in', () => {
  const conv = tf.layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, padding: 'same' });
  const inside = tf.input({ shape: [null, null, 4], name: 'inside' });
  const inner = tf.model({ name: 'inner', inputs: inside, outputs: conv.apply(inside) as tf.SymbolicTensor });
  inner.trainable = false;
  const x = tf.input({ shape: [null, null, 4], name: 'x' });
  const once = inner.apply(x) as tf.SymbolicTensor;
  const twice = inner.apply(once) as tf.SymbolicTensor;
  const sum = tf.layers.add({ name: 'sum' }).apply([once, twice]) as tf.SymbolicTensor;
  const model = tf.model({ inputs: x, outputs: [sum, once] });

  const graph = readGraph(model, { inputShapes: [6, 5, 4] });
  expect(graph.nodes.map(({ name }) => name)).toEqual(['inner/conv', 'inner/conv#2', 'sum']);
  expect(graph.nodes.map(({ trainable }) => trainable)).toEqual([false, false, true]);
  expect(graph.outputs.map(({ shape }) => shape)).toEqual([
    [6, 5, 4],
    [6, 5, 4],
  ]);
  expect(graph.outputs[1]).toBe(graph.nodes[0]!.outputs[0]);
  expect(graph.nodes[2]!.inputs.map(({ node }) => node?.name)).toEqual(['inner/conv', 'inner/conv#2']);
  expect(readGraph(model).outputs[0]!.shape).toEqual([null, null, 4]);
  expect(() => readGraph(model, { inputShapes: { y: [6, 5, 4] } })).toThrow(/has no input 'y'; it has x$/);
  expect(() => readGraph(model, { inputShapes: [6, 5, 3] })).toThrow(/'x' is of the shape \[open, open, 4\]/);
});

test('a sequential model, and one of many layers', () => {
  const layers = Array.from({ length: 3000 }, (_, i) =>
    tf.layers.activation({
      activation: 'relu',
      name: `a${i}`,
      ...(i === 0 ? { batchInputShape: [null, 2] } : {}),
    } as never),
  );
  const model = tf.sequential({ layers });
  expect(readGraph(model).nodes).toHaveLength(3000);
});

test('a frozen model that is the first of a sequential one, in another of these, keeps its name and stays frozen', () => {
  const dense = (name: string) => tf.layers.dense({ name, units: 2, inputShape: [2] });
  const stem = tf.sequential({ name: 'stem', layers: [dense('a'), dense('b')] });
  stem.trainable = false;
  const trunk = tf.sequential({ name: 'trunk', layers: [stem, dense('c')] });
  const { nodes } = readGraph(tf.sequential({ layers: [trunk, dense('d')] }));
  expect(nodes.map(({ name, trainable }) => [name, trainable])).toEqual([
    ['trunk/stem/a', false],
    ['trunk/stem/b', false],
    ['trunk/c', true],
    ['d', true],
  ]);
});
