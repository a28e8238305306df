import type * as tf from '@tensorflow/tfjs';

/**
 * What some operations compute, said in another way: `op` takes resource variables that hold `before`, then `inputs`, and leaves
 * `after` in the variables.
 */
export interface InPlaceUpdate<T = tf.Tensor> {
  op: string;
  before: T[];
  after: T[];
  inputs: T[];
}

let depth = 0;
let note: ((update: InPlaceUpdate) => void) | undefined;

/**
 * Whether a compiled function is being traced into a graph right now: code that would compute in JavaScript must use tensors
 * then, because numbers that it reads would be frozen into the graph.
 */
export function isTracing(): boolean {
  return depth > 0;
}

/** Tells the trace, if there is one, of an update that a state in a graph can have in place. */
export function noteInPlaceUpdate(update: InPlaceUpdate): void {
  note?.(update);
}

export function whileTracing<T>(onUpdate: (update: InPlaceUpdate) => void, body: () => T): T {
  const outer = note;
  depth++;
  note = onUpdate;
  try {
    return body();
  } finally {
    depth--;
    note = outer;
  }
}
