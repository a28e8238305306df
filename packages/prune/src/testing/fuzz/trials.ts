import fc from 'fast-check';
import { graphSpecs } from '../graphs/graph-specs.js';
import type { Trial } from './check.js';

/** Random graphs with what is to be done to them. */
export const trials: fc.Arbitrary<Trial> = fc.record({
  spec: graphSpecs,
  seed: fc.nat(1e6),
  noise: fc.constantFrom('added', 'added', 'own'),
  share: fc.constantFrom(0.5, 0.5, 0.5, 0.5, 0.25, 0.75, 1),
  gather: fc.constantFrom(false, false, true),
  at: fc.constantFrom('all', 'all', 'all', 'all', 'some'),
});
