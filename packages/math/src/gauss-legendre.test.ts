import { describe, expect, it } from 'vitest';
import { gaussLegendre } from './gauss-legendre.js';

describe('gaussLegendre', () => {
  it.each([2, 8, 48])('with %i nodes is exact for every polynomial that it should be exact for', (size) => {
    const { nodes, weights } = gaussLegendre(size);
    for (let power = 0; power < 2 * size; power++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += weights[i]! * nodes[i]! ** power;
      expect(Math.abs(sum - (power % 2 === 0 ? 2 / (power + 1) : 0))).toBeLessThan(1e-14);
    }
  });

  it('has ascending nodes', () => {
    const { nodes } = gaussLegendre(48);
    expect([...nodes]).toEqual([...nodes].sort((x, y) => x - y));
  });
});
