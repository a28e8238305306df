import * as tf from '@tensorflow/tfjs';
import { currentNodeBackend } from '../tensorflow-ops/node-backend.js';
import { CompileError } from './error.js';
import type { Session } from './session.js';
import { NotTensors, putTogether, signatureOf, takeApart } from './structure.js';

/** A compiled function's state between calls: in a graph's variables, or in tensors where there is no graph. */
export interface StateCell {
  readonly size: number;
  /** Arranges tensors as the state is. */
  arrange(values: readonly tf.Tensor[]): unknown;
  /**
   * The tensors of a value that is to be a state.
   *
   * @throws CompileError 'state' if it isn't arranged and shaped like the first one
   */
  check(value: unknown, what: string): tf.Tensor[];
  /** New tensors with the values. */
  values(): tf.Tensor[];
  /** Takes copies. */
  set(values: readonly tf.Tensor[]): void;
  /** Lets a session's variables hold the state from now on. */
  moveInto(session: Session): void;
  dispose(): void;
}

export function stateCell(first: unknown): StateCell {
  const { structure, leaves } = apart(first, 'the option state');
  const signature = signatureOf(structure, leaves);
  let owner: Session | undefined;
  let held: tf.Tensor[] = [];
  const release = () => {
    for (const tensor of held) tensor.dispose();
    held = [];
  };
  const cell: StateCell = {
    size: leaves.length,
    arrange: (values) => putTogether(structure, values),
    check(value, what) {
      const { structure, leaves } = apart(value, what);
      const found = signatureOf(structure, leaves);
      if (found === signature) return leaves;
      throw new CompileError(
        'state',
        `${what} is ${short(found)} where the first state is ${short(signature)}.`,
      );
    },
    values() {
      if (!owner) return held.map((tensor) => tensor.clone());
      if (currentNodeBackend()) return owner.readState();
      throw new CompileError(
        'state',
        "the state is in a TensorFlow graph: call tf.setBackend('tensorflow') first, or read it before another engine is chosen.",
      );
    },
    set(values) {
      const next = values.map((tensor) => tf.keep(tensor.clone()));
      release();
      held = next;
      owner = undefined;
    },
    moveInto(session) {
      if (owner === session) return;
      const values = cell.values();
      session.setState(values);
      for (const tensor of values) tensor.dispose();
      release();
      owner = session;
    },
    dispose: release,
  };
  cell.set(leaves);
  return cell;
}

function apart(value: unknown, what: string) {
  try {
    return takeApart(value, what);
  } catch (error) {
    if (error instanceof NotTensors) {
      throw new CompileError(
        'state',
        `${error.message}; a state is tensors, or arrays and plain objects of them.`,
      );
    }
    throw error;
  }
}

function short(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
