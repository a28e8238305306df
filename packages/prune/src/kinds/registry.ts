import { depthwiseKinds } from './depthwise.js';
import { joinKinds } from './joins.js';
import type { Kind } from './kind.js';
import { linearKinds } from './linear.js';
import { noiseKinds } from './noise.js';
import { normalizationKinds } from './normalization.js';
import { passingKinds } from './passing.js';
import { wholeKinds } from './whole.js';

/** Every class of layers that the surgery knows, by its name. TimeDistributed is what it wraps. */
export const kinds: Readonly<Record<string, Kind>> = {
  ...linearKinds,
  ...depthwiseKinds,
  ...noiseKinds,
  ...normalizationKinds,
  ...passingKinds,
  ...joinKinds,
  ...wholeKinds,
};
