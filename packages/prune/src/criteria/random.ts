import { philox } from '@sbp/math';
import { byRank } from './by-rank.js';
import type { NamedCriterion } from './criterion.js';

/** What any criterion is to be better than: an order by chance, the same for the same seed. */
export const random = (seed = 0): NamedCriterion => ({
  name: 'random',
  score: (set) => byRank(set, philox(seed, set.index).uniforms(0, new Float32Array(set.groups))),
});
