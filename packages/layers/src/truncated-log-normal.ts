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
      ? onHost(m.shape, [m, s], (mi, si) => numbers.kl(mi, si, bounds))
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
      ? onHost(u.shape, [u, m, s], (ui, mi, si) => numbers.sample(ui, mi, si, bounds))
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
  return form === 'host'
    ? {
        logTheta: onHost(u.shape, [u, mu, logSigma], (ui, mi, si) => numbers.sample(ui, mi, si, bounds)),
        kl: onHost(mu.shape, [mu, logSigma], (mi, si) => numbers.kl(mi, si, bounds)),
      }
    : { logTheta: tensors.sample(u, mu, logSigma, bounds), kl: tensors.kl(mu, logSigma, bounds) };
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

/** Applies a function of numbers to tensors whose trailing axes agree: shorter ones repeat. */
function onHost(
  shape: number[],
  inputs: tf.Tensor[],
  at: (...values: [number, number, number]) => Differentiated<number>,
): Differentiated<tf.Tensor> {
  const size = shape.reduce((p, d) => p * d, 1);
  const data = inputs.map((input) => input.dataSync<'float32'>());
  const out = [0, 1, 2].map(() => new Float32Array(size)) as [Float32Array, Float32Array, Float32Array];
  const values: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    data.forEach((array, k) => {
      values[k] = array[i % array.length] as number;
    });
    const { value, dMu, dLogSigma } = at(...values);
    out[0][i] = value;
    out[1][i] = dMu;
    out[2][i] = dLogSigma;
  }
  const [value, dMu, dLogSigma] = out.map((array) => tf.tensor(array, shape));
  return { value, dMu, dLogSigma } as Differentiated<tf.Tensor>;
}

function sumToShape(x: tf.Tensor, shape: number[]): tf.Tensor {
  if (tf.util.arraysEqual(x.shape, shape)) return x;
  const extra = x.rank - shape.length;
  const axes = x.shape.flatMap((_, i) => (i < extra || shape[i - extra] === 1 ? [i] : []));
  return tf.reshape(tf.sum(x, axes), shape);
}
