import { philox } from '@sbp/math';
import type { NamedCriterion } from './criterion.js';

/** What any criterion is to be better than: uniform numbers, the same for the same seed. */
export const random = (seed = 0): NamedCriterion => ({
  name: 'random',
  isRelative: true,
  score: ({ index, groups }) => philox(seed, index).uniforms(0, new Float32Array(groups)),
});
