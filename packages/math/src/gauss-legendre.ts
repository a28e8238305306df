/** A quadrature rule on [−1, 1]: ∫f ≈ Σ weights[i] · f(nodes[i]). */
export interface Rule {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/**
 * The Gauss–Legendre rule with `size` (even) nodes: Newton's method on the Legendre polynomial from Tricomi's
 * first guess. Nodes are mirrored rather than solved for twice, so odd integrands give exactly 0.
 */
export function gaussLegendre(size: number): Rule {
  const nodes = new Float64Array(size);
  const weights = new Float64Array(size);
  for (let i = 0; i < size / 2; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (size + 0.5));
    let slope = 0;
    for (let step = 0; step < 5; step++) {
      let previous = 1;
      let value = x;
      for (let n = 2; n <= size; n++) {
        [previous, value] = [value, ((2 * n - 1) * x * value - (n - 1) * previous) / n];
      }
      slope = (size * (x * value - previous)) / (x * x - 1);
      x -= value / slope;
    }
    const weight = 2 / ((1 - x * x) * slope * slope);
    nodes[i] = -x;
    nodes[size - 1 - i] = x;
    weights[i] = weight;
    weights[size - 1 - i] = weight;
  }
  return { nodes, weights };
}
