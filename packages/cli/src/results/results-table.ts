import { type Column, type ErrorSeries, errorMacsChart, memoryChart, type Spread, table } from '@sbp/bench';
import { UsageError } from '../words/failure.js';
import { frontOf, type Priced } from './front.js';
import { errorColumn, missing, runtimeTitle, type Speedup, speedupKey } from '../measure/figures.js';
import { knownSet } from '../config/known-sets.js';
import { paperNet } from '../config/paper-nets.js';
import type { Published, Result, SweepResult } from './results.js';
import type { RunConfig } from '../config/run-config.js';
import { methodNames } from '../config/run-fields.js';
import { dataTitle, methodTitles, netTitle } from '../config/titles.js';
import { count } from '../words/words.js';

/** More rows than a legend has room for are told apart by their method alone. */
const LEGEND = 12;

/** Runs that differ in their seed alone, and so share a row. */
interface Group {
  label: string;
  method: RunConfig['method'];
  runs: Result[];
}

/** The table of a network, in parts. */
export interface ResultsTable {
  title: string;
  rows: Record<string, unknown>[];
  columns: Column[];
  /** Of runs whose figures are not the full ones. */
  warning?: string;
  /** What the figures mean, in sentences. */
  notes: string[];
}

/**
 * The table of a network in Markdown: a row each method, our runs' and the published ones side by side, with what its figures mean under it.
 *
 * @throws UsageError if the results are not of one network and budget
 */
export function resultsTable(results: readonly Result[], published?: Published): string {
  const { title, rows, columns, warning, notes } = resultsRows(results, published);
  const text = [...(warning === undefined ? [] : [`**${warning}**`]), ...notes].join(' ');
  return [`### ${title}`, table(rows, columns), text].join('\n\n');
}

const warnings = {
  short:
    'Short runs: few epochs on a part of the images, to show that everything works; no figure here means anything.',
  medium: 'Medium runs: a narrower network or fewer epochs than published; figures are of these.',
};

/** What the table has in it. @throws UsageError if the results are not of one network and budget */
export function resultsRows(results: readonly Result[], published?: Published): ResultsTable {
  const config = commonConfig(results, published);
  const groups = groupsOf(results);
  const rows = methodNames.flatMap((method) => [
    ...groups.filter((group) => group.method === method).map((group) => groupRow(group)),
    ...(published?.rows.filter((row) => row.method === method).map(publishedRow) ?? []),
  ]);
  const columns: Column[] = [
    { key: 'method' },
    errorColumn(results[0]!.measure),
    { key: 'widths', missing },
    { key: 'macs', title: 'MACs', digits: 0, missing },
    { key: 'reduction', title: 'MACs reduced', digits: 2, unit: '×', missing },
    { key: 'asBuilt', title: 'as built', digits: 2, unit: '×', missing },
    { key: 'parameters', digits: 0, missing },
    { key: 'kilobytes', title: 'files, kB', digits: 0, missing },
    ...speedupColumns(groups),
    ...(published ? [{ key: 'cpu', title: 'CPU, as published', digits: 2, unit: '×', missing }] : []),
    { key: 'gpu', title: 'GPU', digits: 2, unit: '×', missing },
  ];
  return {
    title: networkTitle(config),
    rows,
    columns,
    ...(config.budget !== 'full' && { warning: warnings[config.budget] }),
    notes: notes(results, groups, published),
  };
}

/** Of what network and images a run is. */
export function networkTitle(config: RunConfig): string {
  const random = config.data.labels === 'random' ? ' with random labels' : '';
  return `${netTitle(config)} on ${dataTitle(config.data)}${random}`;
}

/** A paper's network by its name, a person's own by its file. */
const netKey = (config: RunConfig) => (paperNet(config.model) ? config.model : netTitle(config));

/** What results have to have in common to stand in one table. */
export const comparable = (config: RunConfig): string => {
  const { scale, data, budget } = config;
  return [
    netKey(config),
    scale ?? 1,
    knownSet(data.source) ? data.source : dataTitle(data),
    data.labels,
    budget,
  ].join(' ');
};

/** The same networks as an SVG: error against multiply-accumulates. */
export function resultsChart(
  results: readonly Result[],
  sweeps: readonly SweepResult[] = [],
  published?: Published,
  options: { width?: number } = {},
): string {
  const config = commonConfig(results, published);
  const original = results[0]!.rows[0]!.macs;
  const groups = groupsOf(results);
  const front = frontOf(groups.flatMap(priced)).map(({ macs, error }) => ({ macs, error }));
  // lines say one thing
  const isDrawn = sweeps.length === 0 && front.length > 1;
  const measured = groups.map(
    ({ label, method, runs }): ErrorSeries => ({
      name: groups.length > LEGEND ? methodTitles[method] : label,
      kind: 'measured',
      points: runs.flatMap(({ rows }) => {
        const row = rows.at(-1)!;
        return row.error === null ? [] : [{ macs: macsOfWidths(row), error: row.error }];
      }),
    }),
  );
  const others = (published?.rows ?? []).map(
    ({ method, title, error, reduction }): ErrorSeries => ({
      name: title ?? methodTitles[method],
      kind: 'published',
      points: [{ macs: original / reduction, error }],
    }),
  );
  const curves = sweeps.map(
    ({ title, rows }): ErrorSeries => ({
      name: title,
      kind: 'curve',
      points: rows.flatMap(({ macs, errors }) => {
        const error = errors['test set'];
        return error === undefined ? [] : [{ macs, error }];
      }),
    }),
  );
  if (isDrawn) curves.push({ name: 'front', kind: 'curve', points: front });
  const lines = isDrawn ? { lines: 'the front: none is better in both' } : {};
  const title = `${netTitle(config)} on ${dataTitle(config.data)}${budgetNote(config)}`;
  const points = [...measured, ...others];
  // What a threshold of 2 leaves of a network may be wrong nine times out of ten, which is not worth the room.
  const highest = Math.max(...points.flatMap((one) => one.points.map(({ error }) => error))) * 1.25;
  return errorMacsChart([...points, ...curves], {
    ...{ title, highest, measure: results[0]!.measure, ...lines, ...options },
  });
}

/** By epoch, how well the networks have learned labels that were dealt out at random, and what they keep of themselves. */
export function memorizedChart(results: readonly Result[], options: { width?: number } = {}): string {
  const config = commonConfig(results, undefined);
  const runs = groupsOf(results).map(({ label, runs }) => ({ name: label, epochs: runs[0]!.history }));
  const images = count(examplesOf(results[0]!));
  const title = `${netTitle(config)} on ${images} images of ${dataTitle(config.data)} with random labels${budgetNote(config)}`;
  return memoryChart(runs, { title, ...options });
}

/** How many a run trained on, those held out with them. */
export function examplesOf({ config: { data }, examples }: Result): number {
  if (examples) return examples.train + (data.validation ?? 0);
  return data.trainExamples ?? knownSet(data.source)?.trainExamples ?? 0;
}

function commonConfig(results: readonly Result[], published: Published | undefined): RunConfig {
  const [first, ...others] = results.map(({ config }) => config);
  if (!first) throw new UsageError('there is no result of this budget; run sbp train with it first.');
  const other = others.find((config) => comparable(config) !== comparable(first));
  if (other)
    throw new UsageError(
      `${first.name} is of ${comparable(first)} and ${other.name} of ${comparable(other)}; give results of one network, data and budget.`,
    );
  if (published && published.net !== first.model)
    throw new UsageError(
      `the published figures are of ${published.net} and ${first.name} of ${netKey(first)}; give those of the same network.`,
    );
  return first;
}

const budgetNote = ({ budget }: RunConfig) => (budget === 'full' ? '' : ` (${budget})`);
/** What names a run in tables. */
export const labelOf = ({ title, method }: RunConfig) => title ?? methodTitles[method];

/** In the order of the paper's tables. */
function groupsOf(results: readonly Result[]): Group[] {
  const labels = [...new Set(results.map(({ config }) => labelOf(config)))];
  const groups = labels.map((label) => {
    const runs = results
      .filter(({ config }) => labelOf(config) === label)
      .sort((a, b) => a.config.train.seed - b.config.train.seed);
    return { label, method: runs[0]!.config.method, runs };
  });
  return groups.sort((a, b) => methodNames.indexOf(a.method) - methodNames.indexOf(b.method));
}

const onGpu = ({ device }: Speedup) => !device.startsWith('CPU');

function speedupColumns(groups: readonly Group[]): Column[] {
  const all = groups.flatMap(({ runs }) => runs.flatMap(({ rows }) => rows.at(-1)!.speedups ?? []));
  const onCpu = new Map(all.filter((one) => !onGpu(one)).map((one) => [speedupKey(one), one]));
  return [...onCpu].map(([key, { runtime, batchSize }]) => ({
    key,
    title: `${runtimeTitle(runtime)}, batch ${batchSize}`,
    digits: 2,
    unit: '×',
    missing,
  }));
}

function groupRow({ label, runs }: Group): Record<string, unknown> {
  const rows = runs.map(({ rows }) => rows.at(-1)!);
  const speedups = rows.flatMap((row) => row.speedups ?? []);
  const speedup = (wanted: (one: Speedup) => boolean) => {
    const found = speedups.filter(wanted).map((one) => one.speedup);
    return found.length === 1 ? found[0] : overRuns(found.map(({ median }) => median));
  };
  const gpu = speedups.filter(onGpu);
  return {
    method: `${label}${runs.length > 1 ? `, ${runs.length} seeds` : ''}${budgetNote(runs[0]!.config)}`,
    error: overRuns(rows.flatMap(({ error }) => error ?? [])),
    widths: [...new Set(rows.map(({ widths }) => widths))].join(' / '),
    parameters: mean(rows.map(({ parameters }) => parameters)),
    macs: mean(rows.map(macsOfWidths)),
    reduction: overRuns(rows.map((row) => (row.reduction * row.macs) / macsOfWidths(row))),
    asBuilt: overRuns(rows.map(({ reduction }) => reduction)),
    kilobytes: mean(rows.map(({ bytes }) => bytes / 1000)),
    ...Object.fromEntries(
      speedups
        .filter((one) => !onGpu(one))
        .map((one) => [
          speedupKey(one),
          speedup((other) => !onGpu(other) && speedupKey(other) === speedupKey(one)),
        ]),
    ),
    gpu: speedup((one) => onGpu(one) && one.batchSize === Math.max(...gpu.map((each) => each.batchSize))),
  };
}

function publishedRow({ method, title, ...row }: Published['rows'][number]): Record<string, unknown> {
  return { method: `${title ?? methodTitles[method]}, published`, ...row };
}

/** What published figures count: the network of these widths, without the rows of zeros that tfjs needs to build it. */
const macsOfWidths = ({ macs, zeroRowMacs }: Result['rows'][number]) => macs - zeroRowMacs;

/** What a row comes to, over its seeds. */
function priced({ label, runs }: Group): (Priced & { label: string })[] {
  const rows = runs.map((run) => run.rows.at(-1)!);
  const errors = rows.flatMap(({ error }) => error ?? []);
  return errors.length === 0 ? [] : [{ label, error: mean(errors), macs: mean(rows.map(macsOfWidths)) }];
}

/** One run's own figure; of several their mean, with the least and the most where quartiles stand elsewhere. */
function overRuns(values: readonly number[]): number | Spread | undefined {
  if (values.length <= 1) return values[0];
  return { median: mean(values), q1: Math.min(...values), q3: Math.max(...values) };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function notes(results: readonly Result[], groups: readonly Group[], published?: Published): string[] {
  const { environment, config } = results[0]!;
  const machines = new Set(results.map((result) => result.environment.cpu));
  const engines = new Set(results.map(({ engine }) => `${engine.name} ${engine.version} (${engine.device})`));
  const epochs = groups.map(
    ({ label, runs }) => `${label} ${[...new Set(runs.map((run) => run.config.train.epochs))].join(' and ')}`,
  );
  return [
    config.data.labels === 'random'
      ? "Errors are the last epoch's, on the training images, whose labels were dealt out at random."
      : "Errors are the last epoch's, on the test set; nothing was selected by them.",
    ...(groups.some(({ runs }) => runs.length > 1)
      ? [
          'Where there are several seeds: mean (least–most) and the widths of each; of parameters, MACs and files the mean.',
        ]
      : []),
    'Widths: groups that each layer keeps. MACs: multiply-accumulates of one example by plain counting of the widths; as built: by the network that is timed, which has rows of zeros for single pixels and flattened units, as tfjs has no layer that takes them out. Parameters and files (model.json and weights) are of that network.',
    `Speed-ups are of inference beside the original on one machine (${[...machines].join('; ')}, ${environment.cores} cores, Node ${environment.node}), timed in turns: median (quartiles). A dash: not measured.`,
    `Epochs: ${epochs.join(', ')}; trained on ${[...engines].join(' and ')}.`,
    ...(groups.length > 1 && config.data.labels !== 'random'
      ? [
          `The front of error against MACs, which no other row of ours is better than in both: ${frontOf(groups.flatMap(priced)).map(({ label }) => label).join('; ')}.`,
        ]
      : []),
    ...(published ? [`Published: ${[published.source, published.note].filter(Boolean).join(' ')}`] : []),
  ];
}
