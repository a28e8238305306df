import { type Spread, spread, table } from '@sbp/bench';
import type { Entrant } from '../entrants.js';
import { hasPeers, type Network, networks } from '../networks.js';
import { ratios, sideBySide, WARM_UP } from '../side-by-side.js';
import { type EngineChoice, type Setting, withJob } from './setting.js';

/** One network on one engine, with and without its noise. */
export interface NoiseCost {
  engine: EngineChoice;
  /** Milliseconds of a step. */
  plain?: Spread;
  noisy?: Spread;
  /** Time of a noisy step ÷ that of a plain one, by round. */
  ratio?: Spread;
  /** Milliseconds of θ's multiplications and sums alone. */
  products?: Spread;
  /** A plain step and those ÷ a plain step: what `ratio` could be without the formulas of θ and KL. */
  bound?: Spread;
  reason?: string;
}

export type NoiseRow = NoiseCost & { title: string; batch: number };

/** Samples of one comparison. */
const samples = ({ rounds }: Setting, entries = 2) => entries * (rounds + WARM_UP);

const entrantOf = (engine: EngineChoice): Entrant => (engine === 'wasm' ? 'ours-wasm-1' : 'ours-tensorflow');

async function noiseCost(
  setting: Setting,
  what: { network: Network; batch: number; title: string },
  engine: EngineChoice,
  withBound: boolean,
): Promise<NoiseCost> {
  const { field, seconds, rounds, tick } = setting;
  const { network, batch, title } = what;
  const entrant = entrantOf(engine);
  return withJob(network, { batch, noise: false }, (plainJob) =>
    withJob(network, { batch, noise: true }, async (noisyJob) => {
      try {
        const [plain] = await field.open(entrant, plainJob, seconds, 0);
        const [noisy] = await field.open(entrant, noisyJob, seconds, 1);
        const [products] = withBound ? await field.open(`noise-products-${engine}`, noisyJob, seconds) : [];
        const measured = await sideBySide(
          {
            plain: () => plain.ask({ do: 'run', seconds }),
            noisy: () => noisy.ask({ do: 'run', seconds }),
            ...(products && { products: () => products.ask({ do: 'run', seconds }) }),
          },
          rounds,
          () => tick(`cost of noise: ${title}, ${engine}`),
        );
        const ms = (rates: number[] | undefined) =>
          rates && spread(rates.map((rate) => (1000 * batch) / rate));
        const ratio = ratios(measured.plain, measured.noisy);
        const share = ratios(measured.plain, measured.products);
        const reason = measured.plain?.absent ?? measured.noisy?.absent ?? measured.products?.absent;
        return {
          ...{ engine, plain: ms(measured.plain?.rates), noisy: ms(measured.noisy?.rates), reason },
          ratio: ratio && spread(ratio),
          ...(share && {
            products: ms(measured.products?.rates),
            bound: spread(share.map((part) => 1 + part)),
          }),
        };
      } catch (error) {
        tick(`cost of noise: ${title}, ${engine}`, samples(setting, withBound ? 3 : 2));
        return { engine, reason: (error as Error).message };
      } finally {
        // what one network leaves in a process's memory should not be the next one's
        field.clear();
      }
    }),
  );
}

export const noiseSamples = (setting: Setting) =>
  setting.engines.length * setting.networks.length * samples(setting, 3);

/** The networks of the first table, and one that branches, of which the peers have no twin. */
export async function measureNoise(setting: Setting): Promise<NoiseRow[]> {
  const rows: NoiseRow[] = [];
  for (const name of setting.networks)
    for (const engine of setting.engines) {
      const { title, batch } = networks[name];
      rows.push({ ...(await noiseCost(setting, networks[name], engine, hasPeers(name))), title, batch });
    }
  return rows;
}

/** What is varied, around a stack of 4 convolutions of 32 channels at batch 64. */
const base = { depth: 4, width: 32, batch: 64 };
const grown = {
  batch: [16, 64, 256],
  width: [16, 32, 64],
  layers: [2, 4, 8],
} as const;

export type GrowthRow = NoiseCost & { varied: keyof typeof grown; value: number };

export const growthSamples = (setting: Setting) =>
  Object.values(grown).flat().length * setting.engines.length * samples(setting);

export async function measureGrowth(setting: Setting): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const engine of setting.engines)
    for (const [varied, values] of Object.entries(grown) as [keyof typeof grown, readonly number[]][])
      for (const value of values) {
        const { batch, ...stack } = { ...base, [varied === 'layers' ? 'depth' : varied]: value };
        const what = { network: { net: 'stack', ...stack } as const, batch, title: `${varied} ${value}` };
        rows.push({ ...(await noiseCost(setting, what, engine, false)), varied, value });
      }
  return rows;
}

const columns = [
  { key: 'engine' },
  { key: 'plain', title: 'plain step, ms (quartiles)', missing: '—' },
  { key: 'noisy', title: 'noisy step, ms (quartiles)', missing: '—' },
  { key: 'ratio', title: 'noisy ÷ plain (quartiles)', digits: 3, missing: '—' },
  { key: 'reason', title: 'why not' },
] as const;

const bound = [
  { key: 'products', title: 'its products and sums alone, ms', missing: '—' },
  { key: 'bound', title: 'plain step and those ÷ plain', digits: 3, missing: '—' },
] as const;

export function noiseMarkdown(rows: readonly NoiseRow[]): string {
  const named = rows.map(({ title, batch, ...row }) => ({ network: `${title}, batch ${batch}`, ...row }));
  return `## What noise costs\n\nWhole training steps of the trainer, on wasm with one replica. At most 1.05 was asked of every row, 1.10 of ResNet-20. The last columns are a bound: θ multiplied into the activations or the kernel beside them, whichever has fewer numbers, and its gradient summed, by the engine's kernels, without the formulas of θ and KL.\n\n${table(named, ['network', ...columns, ...bound])}`;
}

export function growthMarkdown(rows: readonly GrowthRow[]): string {
  return `## How that grows\n\nA stack of ${base.depth} noisy 3×3 convolutions of ${base.width} channels on 14×14 images (the first reads 28×28 with stride 2), batch ${base.batch}; one of the three is varied.\n\n${table(rows, ['varied', { key: 'value', title: '' }, ...columns])}`;
}
