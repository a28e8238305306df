import { operationEntries } from '../operations/registry.js';
import type { Entries } from '../saying/entry.js';
import { activationEntries } from './activations.js';
import { convolutionEntries } from './convolution.js';
import { coreEntries } from './core.js';
import { mergingEntries } from './merging.js';
import { normalizationEntries } from './normalization.js';
import { poolingEntries } from './pooling.js';
import { preprocessingEntries } from './preprocessing.js';
import { recurrentEntries } from './recurrent.js';
import { regularizationEntries } from './regularization.js';
import { reshapingEntries } from './reshaping.js';
import { wrapperEntries } from './wrappers.js';

/** Every Keras layer that can be read, by its class. */
export const entries: Entries = {
  ...activationEntries,
  ...convolutionEntries,
  ...coreEntries,
  ...mergingEntries,
  ...normalizationEntries,
  ...operationEntries,
  ...poolingEntries,
  ...preprocessingEntries,
  ...recurrentEntries,
  ...regularizationEntries,
  ...reshapingEntries,
  ...wrapperEntries,
};
