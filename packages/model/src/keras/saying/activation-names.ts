import { isObject, quoted } from '../topology/json.js';
import type { LayerUse } from './entry.js';

/** Keras's activations by tfjs's names, or ours; `hard_sigmoid` depends on the Keras. */
const names: Readonly<Record<string, string>> = {
  linear: 'linear',
  relu: 'relu',
  relu6: 'relu6',
  elu: 'elu',
  selu: 'selu',
  sigmoid: 'sigmoid',
  softplus: 'softplus',
  softsign: 'softsign',
  tanh: 'tanh',
  softmax: 'softmax',
  log_softmax: 'log_softmax',
  swish: 'swish',
  silu: 'swish',
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  mish: 'mish',
  exponential: 'exponential',
  hard_silu: 'hard_silu',
  hard_swish: 'hard_silu',
  leaky_relu: 'leaky_relu',
  celu: 'celu',
  hard_tanh: 'hard_tanh',
  hard_shrink: 'hard_shrink',
  soft_shrink: 'soft_shrink',
  tanh_shrink: 'tanh_shrink',
  squareplus: 'squareplus',
  log_sigmoid: 'log_sigmoid',
  sparse_plus: 'sparse_plus',
  sparse_sigmoid: 'sparse_sigmoid',
};

/** The activation that a field names, as tfjs and our layers know it. */
export function activationName(use: LayerUse, field: string): string {
  const value = use.config[field];
  if (value === null || value === undefined) return 'linear';
  // Keras 3 writes functions that it does not know by heart as objects.
  const name = isObject(value) && value.class_name === 'function' ? value.config : value;
  if (name === 'hard_sigmoid') return use.keras === 3 ? 'keras3_hard_sigmoid' : 'hard_sigmoid';
  const known = typeof name === 'string' && Object.hasOwn(names, name) ? names[name] : undefined;
  return (
    known ??
    use.fail(
      `${field} ${quoted(name)} is not one that can be read; rebuild the model with one of Keras's own, or put the layers of it there`,
    )
  );
}
