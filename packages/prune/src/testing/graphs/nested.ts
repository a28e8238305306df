import * as tf from '@tensorflow/tfjs';
import { blocks } from './blocks.js';
import { isFloat, joins, type Part, put } from './joins.js';
import { layerKinds, makeLayer } from './layer-kinds.js';
import { fits, newSketch, pick, type Sketch, shapeOf } from './sketch.js';
import type { StepSpec } from './spec.js';

/** Adds one step; what fits nowhere adds nothing. */
export function addStep(sketch: Sketch, [kind, config, ...from]: StepSpec): void {
  if (kind === 'nested') {
    nested(sketch, config, from);
  } else if (kind in joins || kind in blocks) {
    (joins[kind] ?? blocks[kind])!(sketch, config, from);
  } else {
    const { ranks } = layerKinds[kind]!;
    const wanted = kind === 'embedding' ? 'int32' : 'float32';
    const x = pick(
      sketch,
      from[0],
      ({ dtype, shape }) => dtype === wanted && ranks.includes(shape.length - 1),
    );
    put(sketch, x, kind, config);
  }
}

/** A model as a layer: sequential or functional, frozen or not, with one output or two; its layers' names are its own or may be like the outer ones. */
const nested: Part = (sketch, { steps, sequential, frozen, outputs, ownNames }, [from]) => {
  const x = pick(sketch, from, isFloat);
  if (!x) return undefined;
  const name = sketch.name('nested');
  const prefix = ownNames ? `${name}_` : '';
  const inside = steps as StepSpec[];
  const model = sequential
    ? chain(inside, shapeOf(x), sketch.noisy, name, prefix)
    : net(inside, shapeOf(x), sketch.noisy, name, prefix, Number(outputs));
  if (!model) return undefined;
  if (frozen) model.trainable = false;
  return sketch.add(model, x);
};

function net(
  steps: readonly StepSpec[],
  shape: readonly number[],
  noisy: boolean,
  name: string,
  prefix: string,
  outputs: number,
): tf.LayersModel | undefined {
  const input = tf.input({ shape: [...shape], name: `${name}_input` });
  const sketch = newSketch([input], { noisy, prefix });
  for (const step of steps) addStep(sketch, step);
  const loose = sketch.tensors.filter((tensor) => tensor !== input && !sketch.isRead(tensor));
  return loose.length === 0 ? undefined : tf.model({ inputs: input, outputs: loose.slice(-outputs), name });
}

function chain(
  steps: readonly StepSpec[],
  shape: readonly number[],
  noisy: boolean,
  name: string,
  prefix: string,
): tf.LayersModel | undefined {
  const model = tf.sequential({ name, layers: [tf.layers.inputLayer({ inputShape: [...shape] })] });
  for (const [i, [kind, config]] of steps.entries()) {
    if (!(kind in layerKinds) || kind === 'embedding') continue;
    const sizes = shapeOf(model.outputs[0]!);
    const layer = makeLayer(kind, config, sizes, noisy, () => `${prefix}${kind}_${i + 1}`);
    if (layer && fits(layer, [sizes])) model.add(layer);
  }
  return model.layers.length > 0 ? model : undefined;
}
