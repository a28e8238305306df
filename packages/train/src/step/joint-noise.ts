import { type Noise, type NoiseForm, noiseTerms, parameterRange } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';

/** One step's noise of all layers. */
export interface JointNoise {
  /** Σ klFactor · KL; scalar. */
  kl: tf.Tensor;
  /** θ of each layer, [groups]; not on tfjs's tape. */
  thetas: Map<Noise, tf.Tensor>;
  /** Gradients of kl + loss for each layer's μ and log σ, from the loss's for θ. */
  gradients(byTheta: ReadonlyMap<Noise, tf.Tensor>): Map<tf.LayerVariable, tf.Tensor>;
}

/**
 * The noise of all layers and its gradients, worked out on one concatenated vector and by the chain rule here instead of on the
 * tape: the formulas take some 300 small operations, whose number, not size, is what costs.
 *
 * @param u uniform draws, [groups of all layers]
 * @param klScale factor on every KL; scalar
 */
export function jointNoise(noises: Noise[], u: tf.Tensor, klScale: tf.Tensor, form?: NoiseForm): JointNoise {
  const parts: JointNoise[] = [];
  let at = 0;
  for (const group of sameBounds(noises)) {
    const size = group.reduce((sum, { groups }) => sum + groups, 0);
    parts.push(noiseOfOneKind(group, tf.slice(u, at, size), klScale, form));
    at += size;
  }
  return {
    kl: parts.reduce<tf.Tensor>((sum, { kl }) => tf.add(sum, kl), tf.scalar(0)),
    thetas: new Map(parts.flatMap(({ thetas }) => [...thetas])),
    gradients: (byTheta) => new Map(parts.flatMap(({ gradients }) => [...gradients(byTheta)])),
  };
}

function noiseOfOneKind(noises: Noise[], u: tf.Tensor, klScale: tf.Tensor, form?: NoiseForm): JointNoise {
  const { bounds } = (noises[0] as Noise).config;
  const split = (x: tf.Tensor) =>
    noises.length === 1
      ? [x]
      : tf.split(
          x,
          noises.map(({ groups }) => groups),
        );
  const [mu, logSigma] = (['mu', 'logSigma'] as const).map((name) => {
    const raw = tf.concat(noises.map((noise) => noise[name].read() as tf.Tensor));
    const value = tf.clipByValue(raw, parameterRange.min, parameterRange.max);
    return { value, inRange: tf.cast(tf.equal(raw, value), 'float32') };
  }) as [Parameter, Parameter];
  const { logTheta, kl } = noiseTerms(u, mu.value, logSigma.value, bounds, form);
  const theta = tf.exp(logTheta.value);
  const own = tf.tensor1d(noises.flatMap(({ groups, klFactor }) => Array(groups).fill(klFactor)));
  const factors = tf.mul(own, klScale);
  const thetas = split(theta);
  return {
    kl: tf.sum(tf.mul(kl.value, factors)),
    thetas: new Map(noises.map((noise, i) => [noise, thetas[i] as tf.Tensor])),
    gradients(byTheta) {
      const byLogTheta = tf.mul(tf.concat(noises.map((noise) => byTheta.get(noise) as tf.Tensor)), theta);
      const chain = (by: 'dMu' | 'dLogSigma', { inRange }: Parameter) =>
        split(tf.mul(tf.add(tf.mul(byLogTheta, logTheta[by]), tf.mul(factors, kl[by])), inRange));
      const [byMu, byLogSigma] = [chain('dMu', mu), chain('dLogSigma', logSigma)];
      return new Map(
        noises.flatMap((noise, i) => [
          [noise.mu, byMu[i] as tf.Tensor],
          [noise.logSigma, byLogSigma[i] as tf.Tensor],
        ]),
      );
    },
  };
}

interface Parameter {
  /** Nearest value inside the domain. */
  value: tf.Tensor;
  /** 1 where that is the parameter itself, else 0, as its gradient there. */
  inRange: tf.Tensor;
}

function sameBounds(noises: Noise[]): Noise[][] {
  const groups = new Map<string, Noise[]>();
  for (const noise of noises) {
    const key = `${noise.config.bounds.a} ${noise.config.bounds.b}`;
    groups.set(key, [...(groups.get(key) ?? []), noise]);
  }
  return [...groups.values()];
}
