import { type Spread, spread, table } from '@sbp/bench';
import { Absent } from '../contestants/contestant.js';
import { CHECKED_STEPS, type Checked, type Ran } from '../contestants/lines.js';
import { type Entrant, entrants, titles } from '../entrants.js';
import { hasPeers, type NetworkName, networks } from '../networks.js';
import { better, type Rates, ratios, sideBySide, WARM_UP } from '../side-by-side.js';
import { type Setting, shared, withJob } from './setting.js';

/** A network's turn. */
export interface SpeedResult {
  network: NetworkName;
  title: string;
  batch: number;
  parameters: number;
  entries: SpeedEntry[];
  targets: Target[];
}

export interface SpeedEntry {
  entrant: Entrant;
  title: string;
  imagesPerSecond?: Spread;
  /** Ours on tensorflow ÷ this one, by round. */
  ours?: Spread;
  parameters?: number;
  check?: Checked;
  /** Why it did not run, or is not the same job. */
  reason?: string;
}

interface Target {
  what: string;
  /** Undefined: it is there to compare the one before with. */
  asked?: number;
  measured?: Spread;
}

/** Who trains what: naively composed kernels are compared on LeNet-5 alone. */
export function speedEntrants({ engines, peers }: Setting, network: NetworkName): Entrant[] {
  return entrants.filter((entrant) => {
    if (entrant.startsWith('noise-products')) return false;
    if (entrant === 'pytorch' || entrant === 'tensorflow') return peers.includes(entrant);
    if (entrant === 'naive-wasm') return engines.includes('wasm') && network === 'lenet5';
    return engines.includes(entrant.startsWith('ours-wasm') ? 'wasm' : 'tensorflow');
  });
}

/** They train nothing. */
const bounds = new Set<Entrant>(['products', 'bound']);

/** Opening and checking an entrant, as a number of samples. */
const OPENING = 3;

export function speedSamples(setting: Setting): number {
  const all = setting.networks.filter(hasPeers).flatMap((network) => speedEntrants(setting, network));
  return all.length * (setting.rounds + WARM_UP + OPENING);
}

export async function measureSpeed(setting: Setting, name: NetworkName): Promise<SpeedResult> {
  const { title, network, batch } = networks[name];
  const { field, rounds, seconds, tick } = setting;
  return withJob(network, { batch, noise: true }, async (folder, job) => {
    const entries: SpeedEntry[] = [];
    const runs: Record<string, () => Promise<Ran>> = {};
    for (const entrant of speedEntrants(setting, name)) {
      const entry: SpeedEntry = { entrant, title: titles[entrant] };
      entries.push(entry);
      try {
        const [contestant, opened] = await field.open(entrant, folder, seconds);
        if (opened.setting) entry.title += `, ${opened.setting}`;
        entry.parameters = opened.parameters;
        if (!bounds.has(entrant)) entry.check = await contestant.ask({ do: 'check' });
        runs[entrant] = () => contestant.ask({ do: 'run', seconds });
      } catch (error) {
        if (!(error instanceof Absent)) throw error;
        entry.reason = error.message;
      }
      tick(`${title}: ${entry.title} is ready`, OPENING);
    }
    const measured = Object.keys(runs).length
      ? await sideBySide(runs, rounds, (entrant) => tick(`${title}: ${titles[entrant as Entrant]}`))
      : {};
    const by = (entrant: Entrant): Rates | undefined => measured[entrant];
    for (const entry of entries) {
      const rates = by(entry.entrant);
      if (rates?.absent !== undefined) entry.reason = rates.absent;
      if (rates?.rates) entry.imagesPerSecond = spread(rates.rates);
      entry.ours = spreadOf(ratios(by('ours-tensorflow'), rates));
      entry.reason ??= disagreement(entry, entries[0] as SpeedEntry, job.trainable);
    }
    field.clear();
    return { network: name, title, batch, parameters: job.trainable, entries, targets: targetsOf(name, by) };
  });
}

function targetsOf(network: NetworkName, by: (entrant: Entrant) => Rates | undefined): Target[] {
  const peer = better(by('pytorch'), by('tensorflow'));
  const target = (what: string, asked: number | undefined, over?: Rates, under?: Rates): Target => ({
    ...{ what, ...(asked !== undefined && { asked }), measured: spreadOf(ratios(over, under)) },
  });
  const ours = by('ours-tensorflow');
  if (network === 'lenet-fc') return [target('tensorflow ÷ the better peer', 0.9, ours, peer)];
  if (network === 'vgg') return [target('tensorflow ÷ the better peer', 0.8, ours, peer)];
  return [
    target('tensorflow ÷ PyTorch eager', 2.2, ours, by('pytorch')),
    target(
      "the step's products alone ÷ PyTorch eager: what that could be",
      undefined,
      by('products'),
      by('pytorch'),
    ),
    target('at the speed of a large product ÷ PyTorch eager', undefined, by('bound'), by('pytorch')),
    target('TensorFlow Python graph ÷ PyTorch eager', undefined, by('tensorflow'), by('pytorch')),
    target('tensorflow ÷ TensorFlow Python graph', 1, ours, by('tensorflow')),
    target(
      'wasm, replicas on all cores ÷ naively composed kernels',
      2.2,
      by('ours-wasm-n'),
      by('naive-wasm'),
    ),
  ];
}

/**
 * Whether it is the same job: as many parameters, and an objective that starts at the same value, within what the first draw of noise makes (σ is e⁻⁵, so
 * less than a percent), and falls about as far on one batch.
 */
export function disagreement(entry: SpeedEntry, first: SpeedEntry, trainable: number): string | undefined {
  const { check, parameters } = entry;
  if (!check || !first.check) return undefined;
  if (parameters !== trainable) return `it has ${parameters} parameters, not ${trainable}`;
  if (!(Math.abs(check.first / first.check.first - 1) < 0.02))
    return `its objective starts at ${check.first}, not at ${first.check.first}`;
  if (!(check.last < check.first)) return `its objective does not fall: ${check.first}, then ${check.last}`;
  const [fell, expected] = [check.first - check.last, first.check.first - first.check.last];
  if (!(fell > 0.8 * expected && fell < 1.2 * expected))
    return `its objective falls by ${fell.toFixed(3)} where ours does by ${expected.toFixed(3)}`;
  return undefined;
}

const spreadOf = (values: number[] | undefined) => values && spread(values);

export function speedMarkdown(results: readonly SpeedResult[]): string {
  const parts = results.map(({ title, batch, parameters, entries }) => {
    const rows = entries.map(({ title, imagesPerSecond, ours, check, reason }) => ({
      ...{ title, imagesPerSecond, ours, first: check?.first, last: check?.last, reason },
    }));
    return `### ${title}, batch ${batch}, ${parameters.toLocaleString('en-US')} parameters\n\n${table(rows, [
      { key: 'title', title: '' },
      { key: 'imagesPerSecond', title: 'images/s (quartiles)', digits: 0, missing: '—' },
      { key: 'ours', title: 'ours on tensorflow ÷ it (quartiles)', digits: 2, missing: '—' },
      { key: 'first', title: 'objective, first step', digits: 3, missing: '—' },
      { key: 'last', title: `step ${CHECKED_STEPS}`, digits: 3, missing: '—' },
      { key: 'reason', title: 'why not' },
    ])}`;
  });
  const targets = results.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target })));
  const asked = table(targets, [
    { key: 'title', title: 'network' },
    { key: 'what', title: 'ratio' },
    { key: 'asked', title: 'asked, at least', digits: 1, missing: '—' },
    { key: 'measured', title: 'measured (quartiles)', digits: 2, missing: '—' },
  ]);
  return `## Training steps\n\n${shared}\n\n${parts.join('\n\n')}\n\n### What was asked\n\n${asked}`;
}
