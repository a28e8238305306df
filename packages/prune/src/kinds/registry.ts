import { depthwiseKinds } from './depthwise.js';
import { joinKinds } from './joins.js';
import type { Kind } from './kind.js';
import { linearKinds } from './linear.js';
import { noiseKinds } from './noise.js';
import { normalizationKinds } from './normalization.js';
import { passingKinds } from './passing.js';
import { recurrentKinds } from './recurrent.js';
import { separableKinds } from './separable.js';
import { shapeKinds } from './shapes.js';
import { wholeKinds } from './whole.js';

/** Every class of layers that the surgery knows, by its name. TimeDistributed is what it wraps. */
export const kinds: Readonly<Record<string, Kind>> = {
  ...linearKinds,
  ...separableKinds,
  ...recurrentKinds,
  ...depthwiseKinds,
  ...noiseKinds,
  ...normalizationKinds,
  ...passingKinds,
  ...shapeKinds,
  ...joinKinds,
  ...wholeKinds,
};
