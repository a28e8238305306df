import { batchesOf, type Dataset, type Input, lengthOf } from '@sbp/data';
import { inputTensors } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { encode } from 'fast-png';

/** A test image that two models see differently. */
export interface Disagreement {
  png: Uint8Array;
  caption: string;
}

/** So many are shown. */
const MOST = 24;
const BATCH = 100;

/**
 * Test images of which two classifiers say different things.
 *
 * @returns undefined where the data are not images of one class each
 */
export function disagreements(
  before: tf.LayersModel,
  after: tf.LayersModel,
  test: Dataset,
): { pictures: Disagreement[]; count: number } | undefined {
  const at = test.inputs.findIndex(({ shape }) => shape.length === 3 && [1, 3].includes(shape[2]!));
  const target = test.targets.find(({ kind, shape }) => kind === 'classes' && shape.length === 0);
  const image = test.inputs[at];
  if (!image || !target?.classes || after.outputs.length !== 1 || after.outputs[0]!.rank !== 2)
    return undefined;
  const names = target.classes;
  const said = (value: number) => names[value] ?? String(value);
  const given = inputTensors(before, test);
  const pictures: Disagreement[] = [];
  let count = 0;
  for (const { indices, batch } of batchesOf(test, BATCH)) {
    const [was, is] = tf.tidy(() => {
      const x = given(batch.inputs, indices.length);
      return [before, after].map((model) => classesOf(model.predict(x) as tf.Tensor));
    }) as [Int32Array, Int32Array];
    for (const [i, value] of was.entries()) {
      if (value === is[i]) continue;
      count++;
      if (pictures.length >= MOST) continue;
      const right = batch.targets[test.targets.indexOf(target)]![i]!;
      pictures.push({
        png: pngOf(batch.inputs[at] as Float32Array, i, image),
        caption: `before: ${said(value)}, after: ${said(is[i]!)}; it is ${said(right)}`,
      });
    }
  }
  return { pictures, count };
}

/** A sigmoid tells two classes apart. */
function classesOf(output: tf.Tensor): Int32Array {
  const values =
    output.shape.at(-1) === 1 ? tf.greater(tf.squeeze(output, [-1]), 0.5).toInt() : tf.argMax(output, -1);
  return values.dataSync<'int32'>();
}

/** What the model is given of an image, from its darkest to its brightest. */
function pngOf(values: Float32Array, i: number, input: Input): Uint8Array {
  const [height, width, channels] = input.shape as [number, number, number];
  const length = lengthOf(input);
  const own = values.subarray(i * length, (i + 1) * length);
  const [least, most] = own.reduce(
    ([low, high], v) => [Math.min(low!, v), Math.max(high!, v)],
    [Infinity, -Infinity],
  );
  const scale = most! > least! ? 255 / (most! - least!) : 0;
  const data = Uint8Array.from(own, (value) => Math.round((value - least!) * scale));
  return encode({ width, height, channels, data });
}
