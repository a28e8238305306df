import type * as tf from '@tensorflow/tfjs';

/** Examples at once: fewer where they are large. */
const BATCH = 500;
const NUMBERS = 2 ** 24;

/** How many examples a model is given at once at inference, so that what its layers say of them stays within memory. */
export function batchFor({ layers, inputs }: tf.LayersModel): number {
  const sizes = [
    ...inputs.map(({ shape }) => shape),
    // at each of its uses: one that stands in several places may have as many sizes
    ...layers.flatMap(({ inboundNodes }) =>
      inboundNodes.flatMap(({ outputShapes }) => shapesOf(outputShapes)),
    ),
  ];
  const largest = Math.max(...sizes.map((shape) => shape.slice(1).reduce<number>((p, d) => p * (d ?? 1), 1)));
  return Math.max(1, Math.min(BATCH, Math.floor(NUMBERS / largest)));
}

const shapesOf = (shape: tf.Shape | tf.Shape[]): tf.Shape[] =>
  Array.isArray(shape[0]) ? (shape as tf.Shape[]) : [shape as tf.Shape];
