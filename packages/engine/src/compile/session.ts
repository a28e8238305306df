import type * as tf from '@tensorflow/tfjs';
import type { NodeBackend } from '../tensorflow-ops/node-backend.js';
import { CompileError } from './error.js';
import type { Plan } from './plan.js';
import { savedModel } from './saved-model.js';

/** A graph that TensorFlow has loaded. */
export interface Session {
  /** @param fed for the plan's feeds; gives what it fetches */
  run(fed: tf.Tensor[]): tf.Tensor[];
  setState(values: tf.Tensor[]): void;
  /** New tensors with the state. */
  readState(): tf.Tensor[];
  /** Frees the graph and its state. */
  close(): void;
}

/** @throws CompileError 'graph' if TensorFlow refuses the graph */
export function openSession(backend: NodeBackend, { nodes, feeds, fetches, state }: Plan): Session {
  const { binding } = backend;
  const id = load(binding, savedModel(binding, nodes));
  const runner = (feeds: string[], fetches: string[]) => {
    const [inputs, outputs] = [feeds.join(), fetches.join()];
    return (fed: tf.Tensor[]) =>
      binding
        .runSavedModel(id, backend.getInputTensorIds(fed), inputs, outputs)
        .map((info) => backend.createOutputTensor(info));
  };
  const setState = runner(state.feeds, [state.ready]);
  return {
    run: fetches.length > 0 ? runner(feeds, fetches) : () => [],
    setState: (values) => {
      for (const ready of setState(values)) ready.dispose();
    },
    readState: runner([], state.values).bind(undefined, []),
    close: () => binding.deleteSavedModel(id),
  };
}

/** The addon reads graphs from a folder only. */
function load(binding: NodeBackend['binding'], graph: Uint8Array): number {
  const { mkdtempSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const { join } = process.getBuiltinModule('node:path');
  const folder = mkdtempSync(join(process.getBuiltinModule('node:os').tmpdir(), 'sbp-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), graph);
    return binding.loadSavedModel(folder, 'serve');
  } catch (error) {
    throw new CompileError('graph', `TensorFlow refuses the graph: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
