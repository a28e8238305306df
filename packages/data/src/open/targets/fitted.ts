import type { Numbers, NumbersType, Target } from '../../dataset/dataset.js';
import type { RawArray } from '../raw.js';

/** A source's array as what the network learns. */
export interface FittedTarget {
  name: string;
  shape: readonly number[];
  dtype: NumbersType;
  kind: Target['kind'];
  classes?: readonly string[];
  raw: RawArray;
  /** All numbers, where an example has few; else they are read as the inputs are. */
  values?: Numbers;
}

/** The same before it has a name. */
export type Unnamed = Omit<FittedTarget, 'name'>;
