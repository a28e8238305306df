/** The interval [a, b] that log θ is truncated to. */
export interface Bounds {
  readonly a: number;
  readonly b: number;
}

/** The published choice: θ from e⁻²⁰ (as good as zero) to 1. */
export const defaultBounds: Bounds = Object.freeze({ a: -20, b: 0 });

/**
 * Where the functions of this package hold, ends included. Outside, results would leave what a float64 can
 * say: the variance of θ, at its extremes, fills the exponent range with bounds of ±300.
 */
export const domain = Object.freeze({
  mu: [-20, 5],
  logSigma: [-20, 5],
  bound: [-300, 300],
  minWidth: 1e-20,
} as const);

/** An argument outside the domain: not a finite number, out of range, or bounds in the wrong order. */
export class DomainError extends RangeError {
  override readonly name = 'DomainError';

  /** @param argument the argument's name, as the caller knows it */
  constructor(
    readonly argument: string,
    readonly value: unknown,
    expected: string,
  ) {
    super(`${argument} is ${String(value)}, expected ${expected}`);
  }
}

/** Throws a {@link DomainError} unless `value` is a number in [min, max]. */
export function checkRange(argument: string, value: number, [min, max]: readonly [number, number]): void {
  if (!(typeof value === 'number' && value >= min && value <= max)) {
    throw new DomainError(argument, value, `a number in [${min}, ${max}]`);
  }
}

/** Throws a {@link DomainError} unless the truncated log-normal of these parameters is one we can compute. */
export function checkDomain(mu: number, logSigma: number, { a, b }: Bounds): void {
  checkRange('mu', mu, domain.mu);
  checkRange('logSigma', logSigma, domain.logSigma);
  checkRange('bounds.a', a, domain.bound);
  checkRange('bounds.b', b, domain.bound);
  if (!(b - a >= domain.minWidth)) {
    throw new DomainError('bounds.b', b, `more than bounds.a = ${a} by at least ${domain.minWidth}`);
  }
}
