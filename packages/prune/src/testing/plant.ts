import { defaultBounds, truncatedLogNormal } from '@sbp/math';
import { numbers } from './fill.js';

export interface PlantOptions {
  readonly steps: number;
  /** Adam's rate for μ and log σ. */
  readonly rate: number;
  readonly logSigmaInit?: number;
  /** What the data lose with a whole group: e to the power of this, in the middle, and its deviation. */
  readonly worth?: number;
  readonly spread?: number;
  readonly groups?: number;
  readonly seed?: number;
}

/**
 * Noise in training, without a network: each group's data lose what it is worth as its SNR falls, worth / (1 + SNR²), and the KL draws it there. The formulas are the noise's own, and so are Adam's steps on μ and log
 * σ: how long it takes from a higher KL to drowned groups, and that few come back, is as in a network.
 */
export function plant({
  steps,
  rate,
  logSigmaInit = -3,
  worth = -8,
  spread = 2.5,
  groups = 60,
  seed = 1,
}: PlantOptions) {
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const bounds = defaultBounds;
  const all = Array.from({ length: groups }, () => ({
    worth: Math.exp(worth + spread * normal()),
    x: [0, logSigmaInit] as [number, number],
    m: [0, 0] as [number, number],
    v: [0, 0] as [number, number],
  }));
  const clip = (x: number) => Math.min(5, Math.max(-20, x));
  const snr = ([mu, logSigma]: readonly number[]) =>
    truncatedLogNormal.snr(clip(mu!), clip(logSigma!), bounds);
  const lost = (x: readonly number[], own: number) => own / (1 + snr(x) ** 2);
  let step = 0;
  /** One step of training at a KL scale, over 60,000 examples. */
  const train = (scale: number) => {
    step++;
    const now = step < 0.6 * steps ? rate : (rate * (steps - step)) / (0.4 * steps);
    for (const group of all) {
      const { mu: dMu, logSigma: dLogSigma } = truncatedLogNormal.klGradient(
        clip(group.x[0]),
        clip(group.x[1]),
        bounds,
      ) as unknown as { mu: number; logSigma: number };
      for (const i of [0, 1] as const) {
        const at = (d: number) =>
          lost(i === 0 ? [group.x[0] + d, group.x[1]] : [group.x[0], group.x[1] + d], group.worth);
        const noisy = 1 + 0.5 * normal();
        const gradient =
          (noisy * (at(1e-3) - at(-1e-3))) / 2e-3 + (scale / 60_000) * (i === 0 ? dMu : dLogSigma);
        group.m[i] = 0.95 * group.m[i] + 0.05 * gradient;
        group.v[i] = 0.999 * group.v[i] + 0.001 * gradient ** 2;
        const [m, v] = [group.m[i] / (1 - 0.95 ** step), group.v[i] / (1 - 0.999 ** step)];
        group.x[i] -= (now * m) / (Math.sqrt(v) + 1e-8);
      }
    }
  };
  /** As of a chain of layers: a layer's cost goes with the groups on both sides. */
  const costOf = (left: number) => (left / groups) ** 1.7;
  const share = () => costOf(all.filter(({ x }) => snr(x) > 1).length);
  /** As `budgetOf` has it. */
  const edge = (asked: number) => {
    const ratios = all.map(({ x }) => snr(x)).sort((a, b) => a - b);
    return ratios.find((_, i) => costOf(groups - 1 - i) <= asked)!;
  };
  return { train, share, edge };
}
