import type { Runtime } from './figures.js';

/** Runtimes that a person can ask for a time on, by name. */
export const timedRuntimes = ['onnxruntime', 'wasm', 'tensorflow', 'cpu'] as const satisfies Runtime[];
