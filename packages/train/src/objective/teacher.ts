import { batchesOf, createDataset, type Dataset, type Target } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';
import { batchFor } from '../run/batch-for.js';
import { headsOf } from './heads.js';
import { inputTensors } from './inputs.js';
import { namesOf } from './names.js';
import { teacherTarget } from './objective.js';
import { logitsFrom } from './terms.js';

export interface TeacherOptions {
  /** Called as examples are done; of so many. */
  onProgress?(done: number, of: number): void;
}

/** So much may be held in memory of what a teacher says, in bytes. */
const MOST = 2 ** 32;

/**
 * The same data with what a model says of each example, for the training's `distillation`: one target more an output, its logits where it ends in a
 * softmax or a sigmoid, else its values. Said once, of the examples as they are, not as they are augmented. Data without any targets gets them from the
 * teacher, too: the class that it finds most probable, or its values.
 *
 * @param teacher computes on the current tfjs backend
 * @throws TrainError where it does not fit the data, or says more than memory holds
 */
export async function withTeacher(
  dataset: Dataset,
  teacher: tf.LayersModel,
  { onProgress }: TeacherOptions = {},
): Promise<Dataset> {
  const heads = headsOf(teacher);
  const names = namesOf(teacher, 'output');
  const inputs = inputTensors(teacher, dataset);
  const shapes = teacher.outputs.map(({ shape }, i) => fixedShape(names[i] as string, shape));
  const lengths = shapes.map((shape) => shape.reduce((p, d) => p * d, 1));
  const bytes = lengths.reduce((sum, length) => sum + 4 * length * dataset.size, 0);
  if (bytes > MOST)
    throw new TrainError(
      `what the teacher says of ${dataset.size} examples of ${dataset.name} would take ${(bytes / 2 ** 30).toFixed(1)} GiB; give fewer examples, or train without a teacher.`,
    );
  const said = lengths.map((length) => new Float32Array(new SharedArrayBuffer(4 * length * dataset.size)));
  let done = 0;
  for (const { indices, batch } of batchesOf(dataset, batchFor(teacher))) {
    const values = tf.tidy(() => {
      const given = inputs(batch.inputs, indices.length);
      const outputs = [heads.without(() => heads.model.apply(given) as tf.Tensor | tf.Tensor[])].flat();
      // not wanted, and so freed
      heads.masks();
      return outputs.map((output, i) => {
        const end = heads.ends[i];
        return end && !heads.before[i] ? logitsFrom(output, end) : output;
      });
    });
    for (const [i, value] of values.entries())
      said[i]?.set(await value.data<'float32'>(), done * (lengths[i] as number));
    tf.dispose(values);
    done += indices.length;
    onProgress?.(done, dataset.size);
  }
  const taught = names.map(
    (name, i): Target => ({
      name: teacherTarget(name),
      kind: 'values',
      shape: shapes[i] as number[],
      values: said[i] as Float32Array,
    }),
  );
  const targets =
    dataset.targets.length > 0
      ? dataset.targets
      : taught.map((target, i) => ownTarget(names[i] as string, target, heads.ends[i]));
  return createDataset({ ...dataset, targets: [...targets, ...taught] });
}

/** What a teacher says as if it were true. */
function ownTarget(name: string, said: Target, end: 'softmax' | 'sigmoid' | undefined): Target {
  const values = said.values as Float32Array;
  if (!end) return { ...said, name };
  const units = said.shape.at(-1) as number;
  if (end === 'sigmoid') {
    const yes = Uint8Array.from(values, (logit) => (logit > 0 ? 1 : 0));
    return { name, kind: 'labels', shape: said.shape, values: yes };
  }
  const classes = Int32Array.from({ length: values.length / units }, (_, i) => {
    const row = values.subarray(i * units, (i + 1) * units);
    return row.reduce((best, value, at) => (value > (row[best] as number) ? at : best), 0);
  });
  const names = Array.from({ length: units }, (_, i) => String(i));
  return { name, kind: 'classes', shape: said.shape.slice(0, -1), values: classes, classes: names };
}

function fixedShape(name: string, shape: tf.Shape): number[] {
  const own = shape.slice(1);
  if (own.every((size) => size !== null)) return own as number[];
  throw new TrainError(
    `the teacher's output '${name}' has open sizes (${own.map((size) => size ?? 'any').join('×')}); give it inputs of a fixed size.`,
  );
}
