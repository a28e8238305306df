import { adam, adamw } from './adam.js';
import type { Optimizer } from './optimizer.js';
import { sgd } from './sgd.js';

/** By the name that a train config has for it. */
export const optimizers = { adam, adamw, sgd } satisfies Record<string, Optimizer>;

export type OptimizerName = keyof typeof optimizers;

export const optimizerNames = Object.keys(optimizers) as OptimizerName[];

/**
 * What moves a kind of weights. The noise's μ and log σ always have Adam: their gradients, of the KL and of the loss, differ by orders of
 * magnitude between groups and over a training, so no rate of SGD's fits all.
 */
export function optimizerOf(kind: 'weight' | 'noise', name: OptimizerName): Optimizer {
  return kind === 'noise' ? adam : optimizers[name];
}
