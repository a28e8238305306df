/** Adam's hyper-parameters for one step. */
export interface AdamStep {
  /** Steps taken with this one: 1 at the first. */
  step: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** The gradient gains this many times the weight: L2. Default 0. */
  decay?: number;
}

/** What turns Adam's moments, which start at 0, into means: factor on the rate, and ε̂ (Kingma & Ba 2015, section 2). */
export function biasCorrection({ step, beta1, beta2, epsilon }: Omit<AdamStep, 'learningRate' | 'decay'>): {
  correction: number;
  epsilonHat: number;
} {
  const root = Math.sqrt(1 - beta2 ** step);
  return { correction: root / (1 - beta1 ** step), epsilonHat: epsilon * root };
}

/**
 * One Adam step (Kingma & Ba 2015, algorithm 1) on the entries `from` … `to` of flat vectors: `next` receives the new
 * weights, the moments are updated in place.
 */
export function adamStep(
  { weights, gradient, next, m, v }: Record<'weights' | 'gradient' | 'next' | 'm' | 'v', Float32Array>,
  from: number,
  to: number,
  { step, learningRate, beta1, beta2, epsilon, decay = 0 }: AdamStep,
): void {
  const { correction, epsilonHat } = biasCorrection({ step, beta1, beta2, epsilon });
  const rate = learningRate * correction;
  for (let i = from; i < to; i++) {
    const weight = weights[i] as number;
    const g = (gradient[i] as number) + decay * weight;
    const first = beta1 * (m[i] as number) + (1 - beta1) * g;
    const second = beta2 * (v[i] as number) + (1 - beta2) * g * g;
    m[i] = first;
    v[i] = second;
    next[i] = weight - (rate * first) / (Math.sqrt(second) + epsilonHat);
  }
}
