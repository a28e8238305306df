import { bmrs, domain } from '@sbp/math';
import { PruneError } from '../errors.js';
import type { CutSet, NamedCriterion } from './criterion.js';

function noiseOf(criterion: string, { name, noise }: CutSet): NonNullable<CutSet['noise']> {
  if (noise) return noise;
  throw new PruneError(
    `criterion '${criterion}': '${name}' has no noise; train withNoise, or take 'magnitude'`,
    name,
  );
}

/**
 * klWeight · SNR². In training, KL and data pull on the noise alike where the error that it adds is as klWeight · d KL / d log σ ≈ klWeight, so that what a group is worth to the data
 * is in that proportion to 1 / SNR². With KL by cost, what has the least for its cost has the lowest SNR.
 */
export const snr: NamedCriterion = {
  name: 'snr',
  score: (set) => {
    const { snr, klWeight } = noiseOf('snr', set);
    // without KL nothing says what they are worth, and somebody wanted them to stay
    return snr.map((ratio) => (klWeight > 0 ? klWeight * ratio ** 2 : Infinity));
  },
};

const clip = (value: number, [low, high]: readonly [number, number]) => Math.min(Math.max(value, low), high);

/**
 * −klWeight · ΔF: how many nats the data lose with the group (Wright, Igel & Selvan 2024). Log evidences of groups add up, so what is lost in different sets can be compared as it is; where training weighed the KL, q is
 * the posterior of data that count 1/klWeight.
 */
const byEvidence = (name: string, gain: typeof bmrs.normal | typeof bmrs.uniform): NamedCriterion => ({
  name,
  decides: true,
  score: (set) => {
    const { mu, logSigma, bounds, klWeight } = noiseOf(name, set);
    if (klWeight === 0) return new Float64Array(mu.length).fill(Infinity);
    return Float64Array.from(
      mu,
      (m, i) => -klWeight * gain(clip(m, domain.mu), clip(logSigma[i]!, domain.logSigma), bounds),
    );
  },
});

export const bmrsN = byEvidence('bmrs-n', bmrs.normal);
export const bmrsU = byEvidence('bmrs-u', bmrs.uniform);
