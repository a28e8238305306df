import { batchesOf, type Dataset, lengthOf } from '@sbp/data';
import { inputTensors, type Objective, outputEnds } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';

/** How far a model is from another one on a data set. */
export interface Agreement {
  examples: number;
  /** Largest difference of any output: of probabilities as they are, of other numbers in parts of the largest. */
  maxDifference: number;
  /** Examples of which a classifier says another class; places of masks are not told apart. */
  otherPredictions: number;
}

/** Each output's numbers for some examples; however they are computed. */
export type Predict = (inputs: tf.Tensor[]) => Float32Array[] | Promise<Float32Array[]>;

/** By a tfjs model, at inference. */
export function predictWith(model: tf.LayersModel): Predict {
  return (inputs) =>
    tf.tidy(() => {
      const said = model.predict(inputs, { batchSize: inputs[0]!.shape[0] }) as tf.Tensor | tf.Tensor[];
      return [said].flat().map((output) => output.dataSync<'float32'>());
    });
}

/** Compares another with a model on every example of a data set. @param objective says what the model's outputs are */
export async function agreementOf(
  reference: tf.LayersModel,
  other: Predict,
  dataset: Dataset,
  objective: Objective,
): Promise<Agreement> {
  const predict = predictWith(reference);
  const given = inputTensors(reference, dataset);
  const ends = outputEnds(reference);
  const classesOf = reference.outputs.map(({ rank }, i) =>
    rank === 2 ? classifiers[objective.outputs[i]!.measure] : undefined,
  );
  const largest = ends.map(() => 0);
  const differences = ends.map(() => 0);
  let otherPredictions = 0;
  for (const { indices, batch } of batchesOf(dataset, mostOf(dataset))) {
    const n = indices.length;
    const inputs = given(batch.inputs, n);
    const expected = await predict(inputs);
    const found = await other(inputs);
    tf.dispose(inputs);
    const differs = new Set<number>();
    for (const [i, values] of expected.entries()) {
      largest[i] = values.reduce((most, value) => Math.max(most, Math.abs(value)), largest[i]!);
      // Math.max keeps a NaN, which must not pass for small.
      const apart = found[i]!.map((value, j) => Math.abs(value - values[j]!));
      differences[i] = apart.reduce((a, b) => Math.max(a, b), differences[i]!);
      const classes = classesOf[i]?.(values, n);
      for (const [j, value] of classesOf[i]?.(found[i]!, n).entries() ?? [])
        if (value !== classes![j]) differs.add(j);
    }
    otherPredictions += differs.size;
  }
  const scale = (i: number) => (ends[i] ? 1 : largest[i] || 1);
  return {
    examples: dataset.size,
    maxDifference: differences.map((difference, i) => difference / scale(i)).reduce((a, b) => Math.max(a, b)),
    otherPredictions,
  };
}

/** What outputs by row, [examples, units], say of each example, by what their objective measures. */
const classifiers: Partial<
  Record<
    Objective['outputs'][number]['measure'],
    (values: Float32Array, examples: number) => (number | string)[]
  >
> = {
  error: (values, examples) => rows(values, examples).map((own) => own.indexOf(Math.max(...own))),
  binaryError: (values, examples) => rows(values, examples).map((own) => own.map((p) => +(p > 0.5)).join('')),
  binaryErrorOfLogits: (values, examples) =>
    rows(values, examples).map((own) => own.map((x) => +(x > 0)).join('')),
};

function rows(values: Float32Array, examples: number): Float32Array[] {
  const units = values.length / examples;
  return Array.from({ length: examples }, (_, i) => values.subarray(i * units, (i + 1) * units));
}

/** As many as some millions of inputs' numbers, so that large images fit, too. */
function mostOf({ inputs }: Dataset): number {
  const numbers = inputs.reduce((sum, input) => sum + lengthOf(input), 0);
  return Math.max(1, Math.min(500, Math.floor(2e6 / numbers)));
}
