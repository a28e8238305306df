import type { ModelFile } from '../files/model-file.js';
import { isObject } from './topology/json.js';

/** Who wrote the topology: tfjs itself, or Keras 2 or 3. */
export type Dialect = 'tfjs' | 2 | 3;

export function dialectOf({ topology, generatedBy = '' }: ModelFile): Dialect {
  const version = isObject(topology) ? topology.keras_version : undefined;
  const said = typeof version === 'string' ? version : generatedBy.replace(/^keras v/, '');
  if (/tfjs/.test(said)) return 'tfjs';
  if (/^3\./.test(said)) return 3;
  if (/^[12]\./.test(said)) return 2;
  // Files by hand: what only one of them writes.
  const text = JSON.stringify(topology);
  if (/"(batch_shape|registered_name)":/.test(text)) return 3;
  return 'tfjs';
}
