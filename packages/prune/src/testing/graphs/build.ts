import * as tf from '@tensorflow/tfjs';
import { merge, put } from './joins.js';
import { addStep } from './nested.js';
import { newSketch, type Sketch } from './sketch.js';
import type { EndSpec, GraphSpec } from './spec.js';

/** The model that the spec describes, with the layers' own noise or without; names count up from 1, whatever else was built before. */
export function buildGraph({ inputs, steps, end }: GraphSpec, { noisy }: { noisy: boolean }): tf.LayersModel {
  const symbols = inputs.map(({ shape, words }, i) =>
    tf.input({ shape: [...shape], name: `input_${i + 1}`, dtype: words ? 'int32' : 'float32' }),
  );
  const sketch = newSketch(symbols, { noisy });
  for (const [i, { words }] of inputs.entries()) {
    if (words) put(sketch, symbols[i], 'embedding', { inputDim: words, outputDim: 4 });
  }
  for (const step of steps) addStep(sketch, step);
  const outputs = endOf(sketch, end);
  return tf.model({ inputs: symbols.filter((symbol) => reaches(symbol, outputs)), outputs, name: 'graph' });
}

function endOf(sketch: Sketch, { outputs, rest, flatten, bare, softmax }: EndSpec): tf.SymbolicTensor[] {
  const loose = sketch.tensors.filter((tensor) => !sketch.isRead(tensor) && tensor.dtype === 'float32');
  const latestFirst = [...loose].reverse();
  const alone = bare && latestFirst[0]!.sourceLayer.getClassName() !== 'InputLayer';
  const made = alone ? [latestFirst.shift()!] : [];
  const heads = Math.min(outputs - made.length, latestFirst.length);
  const bundles = Array.from({ length: heads }, (_, head) =>
    latestFirst.filter((_, i) => (rest === 'drop' ? i === head : i % heads === head)),
  );
  for (const bundle of bundles) {
    const vectors = bundle.map((x) => toVector(sketch, x, flatten));
    const summands = () => vectors.map((x) => put(sketch, x, 'dense', { units: 4 }));
    const joined =
      vectors.length === 1
        ? vectors[0]
        : rest === 'add'
          ? merge(sketch, 'add', summands())
          : merge(sketch, 'concatenate', vectors);
    // What would be too large is left out.
    made.push(
      put(sketch, joined ?? vectors[0], 'dense', { units: 3, activation: softmax ? 'softmax' : 'linear' })!,
    );
  }
  return made;
}

function toVector(sketch: Sketch, x: tf.SymbolicTensor, flatten: boolean): tf.SymbolicTensor | undefined {
  const pool = [undefined, undefined, 'globalAveragePooling1d', 'globalAveragePooling2d'][x.shape.length - 1];
  if (x.shape.length === 2) return x;
  return put(sketch, x, flatten || !pool ? 'flatten' : pool);
}

/** Whether an output depends on the tensor. */
function reaches(tensor: tf.SymbolicTensor, outputs: readonly tf.SymbolicTensor[]): boolean {
  const seen = new Set<number>();
  const pending = [...outputs];
  for (let x = pending.pop(); x; x = pending.pop()) {
    if (x.id === tensor.id) return true;
    if (seen.has(x.id)) continue;
    seen.add(x.id);
    pending.push(...x.inputs);
  }
  return false;
}
