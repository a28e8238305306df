import { type Bounds, defaultBounds } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { onNumbers, onTensors } from './arithmetic.js';
import { type Differentiated, noiseFormulas } from './formulas.js';

const numbers = noiseFormulas(onNumbers);
const tensors = noiseFormulas(onTensors);

/**
 * Backends whose tensors lie in the host's memory. There the formulas run as one loop over numbers: as tensors they take some 400 kernel
 * calls on a few hundred elements, whose number is what costs.
 */
const HOST_BACKENDS = new Set(['cpu', 'wasm', 'tensorflow']);

/** Where the formulas run: `tensors` where what they do is to become a graph. */
export type NoiseForm = 'host' | 'tensors';

const fastest = (): NoiseForm => (HOST_BACKENDS.has(tf.getBackend()) ? 'host' : 'tensors');

/**
 * KL divergence of the truncated log-normal posterior from the log-uniform prior on the same bounds, one value a group,
 * in nats (Neklyudov et al. 2017, eq. 10), in float32 over μ, log σ ∈ [−20, 5]; differentiable in both.
 *
 * @param form default: `host` where the backend's tensors lie in the host's memory
 */
export function klDivergence(
  mu: tf.Tensor,
  logSigma: tf.Tensor,
  bounds: Bounds = defaultBounds,
  form: NoiseForm = fastest(),
): tf.Tensor {
  return differentiable(mu, logSigma, (m, s) =>
    form === 'host'
      ? (onHost(m.shape, [m, s, s], 1, (mi, si) => [
          numbers.kl(mi, si, bounds),
        ])[0] as Differentiated<tf.Tensor>)
      : tensors.kl(m, s, bounds),
  );
}

/**
 * log θ for uniform draws `u` ∈ (0, 1): μ + σ Φ⁻¹(Φ(α) + u Z), clipped to the bounds, in float32 over
 * μ, log σ ∈ [−20, 5]. Differentiable in μ and log σ, α, β and Z included.
 *
 * @param u uniform draws; its trailing axes are those of μ, extra leading axes (examples) are allowed
 * @param form default: `host` where the backend's tensors lie in the host's memory
 */
export function sampleLogTheta(
  u: tf.Tensor,
  mu: tf.Tensor,
  logSigma: tf.Tensor,
  bounds: Bounds = defaultBounds,
  form: NoiseForm = fastest(),
): tf.Tensor {
  return differentiable(mu, logSigma, (m, s) =>
    form === 'host'
      ? (onHost(u.shape, [m, s, u], 1, (mi, si, ui) => [
          numbers.sample(ui, mi, si, bounds),
        ])[0] as Differentiated<tf.Tensor>)
      : tensors.sample(u, m, s, bounds),
  );
}

/**
 * {@link sampleLogTheta} and {@link klDivergence} with their derivatives as plain tensors, for a caller that applies the chain
 * rule by itself.
 *
 * @param u uniform draws, shape of μ
 */
export function noiseTerms(
  u: tf.Tensor,
  mu: tf.Tensor,
  logSigma: tf.Tensor,
  bounds: Bounds = defaultBounds,
  form: NoiseForm = fastest(),
): { logTheta: Differentiated<tf.Tensor>; kl: Differentiated<tf.Tensor> } {
  if (form === 'tensors') return tensors.terms(u, mu, logSigma, bounds);
  const [logTheta, kl] = onHost(u.shape, [mu, logSigma, u], 2, (m, s, ui) => {
    const terms = numbers.terms(ui, m, s, bounds);
    return [terms.logTheta, terms.kl];
  }) as [Differentiated<tf.Tensor>, Differentiated<tf.Tensor>];
  return { logTheta, kl };
}

/** An elementwise function of μ and log σ that comes with its derivatives, as a differentiable op. */
function differentiable(
  mu: tf.Tensor,
  logSigma: tf.Tensor,
  evaluate: (mu: tf.Tensor, logSigma: tf.Tensor) => Differentiated<tf.Tensor>,
): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const [m, s, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const { value, dMu, dLogSigma } = evaluate(m, s);
    save([dMu, dLogSigma]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        saved.map((derivative) => sumToShape(tf.mul(dy, derivative), m.shape)),
    };
  });
  return op(mu, logSigma);
}

/** Applies functions of numbers, `count` of them, to tensors whose trailing axes agree: shorter ones repeat. */
function onHost(
  shape: number[],
  inputs: [tf.Tensor, tf.Tensor, tf.Tensor],
  count: number,
  at: (a: number, b: number, c: number) => Differentiated<number>[],
): Differentiated<tf.Tensor>[] {
  const size = shape.reduce((p, d) => p * d, 1);
  const [a, b, c] = inputs.map((input) => input.dataSync<'float32'>()) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const results = Array.from({ length: count }, () => ({
    value: new Float32Array(size),
    dMu: new Float32Array(size),
    dLogSigma: new Float32Array(size),
  }));
  for (let i = 0; i < size; i++) {
    const each = at(a[i % a.length] as number, b[i % b.length] as number, c[i % c.length] as number);
    for (let k = 0; k < count; k++) {
      const [from, to] = [each[k] as Differentiated<number>, results[k] as Differentiated<Float32Array>];
      to.value[i] = from.value;
      to.dMu[i] = from.dMu;
      to.dLogSigma[i] = from.dLogSigma;
    }
  }
  return results.map(({ value, dMu, dLogSigma }) => ({
    value: tf.tensor(value, shape),
    dMu: tf.tensor(dMu, shape),
    dLogSigma: tf.tensor(dLogSigma, shape),
  }));
}

function sumToShape(x: tf.Tensor, shape: number[]): tf.Tensor {
  if (tf.util.arraysEqual(x.shape, shape)) return x;
  const extra = x.rank - shape.length;
  const axes = x.shape.flatMap((_, i) => (i < extra || shape[i - extra] === 1 ? [i] : []));
  return tf.reshape(tf.sum(x, axes), shape);
}
