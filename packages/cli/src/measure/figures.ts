import { type Column, type ModelTiming, table, widthsChart } from '@sbp/bench';
import type { Engine } from '@sbp/engine';
import type { PruneReport } from '@sbp/prune';
import { ERROR_PERCENT } from './measured.js';

/** How much faster than the original a network is somewhere. */
export interface Speedup {
  runtime: Runtime;
  device: string;
  batchSize: number;
  speedup: ModelTiming['speedup'];
}

/** What networks are timed on; all but the first are tfjs's backends. */
export type Runtime = 'onnxruntime' | Engine['name'];

/** One row of a run's table. */
export interface Figures {
  method: string;
  /** Test error, in % where it classifies; null where the network was not trained. */
  error: number | null;
  /** Groups of each noise layer. */
  widths: string;
  parameters: number;
  /** Multiply-accumulates of one example, of the network as it is built. */
  macs: number;
  /** MACs of the original over this one's. */
  reduction: number;
  /** The part of `macs` that multiplies by rows of zeros, where tfjs has no layer that takes single inputs out. */
  zeroRowMacs: number;
  /** Bytes of model.json and weights. */
  bytes: number;
  /** Null where it was not timed. */
  speedups: Speedup[] | null;
}

/** Stands where there is nothing to say. */
export const missing = '–';

/** The table in Markdown, which reads well in a terminal, too. */
export function figuresTable(figures: readonly Figures[], measure?: string): string {
  const { rows, columns } = figuresRows(figures, measure);
  return table(rows, columns);
}

/** What the table has in it. @param measure what the figures called errors are */
export function figuresRows(
  figures: readonly Figures[],
  measure = ERROR_PERCENT,
): {
  rows: Record<string, unknown>[];
  columns: Column[];
} {
  const timed = figures.find(({ speedups }) => speedups)?.speedups ?? [];
  const runtimes = new Set(timed.map(({ runtime }) => runtime)).size;
  const speedups: Column[] = timed.map(({ runtime, device, batchSize }) => ({
    key: speedupKey({ runtime, batchSize }),
    title: `${runtimes > 1 ? runtimeTitle(runtime) : device} speed-up, batch ${batchSize}`,
    digits: 2,
    unit: '×',
    missing,
  }));
  const rows = figures.map(({ speedups, bytes, ...row }) => ({
    ...row,
    kilobytes: bytes / 1000,
    ...Object.fromEntries((speedups ?? []).map((one) => [speedupKey(one), one.speedup])),
  }));
  const columns: Column[] = [
    { key: 'method' },
    errorColumn(measure),
    { key: 'widths' },
    { key: 'parameters', digits: 0 },
    { key: 'macs', title: 'MACs', digits: 0 },
    { key: 'reduction', title: 'MACs reduced', digits: 2, unit: '×' },
    { key: 'kilobytes', title: 'files, kB', digits: 0 },
    ...speedups,
  ];
  return { rows, columns };
}

/** Shares in % need two digits, numbers of any size four. */
export const errorColumn = (measure = ERROR_PERCENT): Column => ({
  ...{ key: 'error', title: measure, missing },
  ...(measure.endsWith('%') ? { digits: 2 } : { digits: 4 }),
});

export const speedupKey = ({ runtime, batchSize }: Pick<Speedup, 'runtime' | 'batchSize'>) =>
  `${runtime} ${batchSize}`;

export const runtimeTitle = (runtime: Runtime) =>
  runtime === 'onnxruntime' ? 'ONNX Runtime' : `tfjs ${runtime}`;

/** What the table's figures mean, to stand under it. */
export function figuresNote(title: string, runtimes: readonly string[]): string {
  const timed =
    runtimes.length > 0
      ? ` Speed-ups: inference on ${runtimes.join(' and ')}, timed side by side, median (quartiles).`
      : '';
  return `${title}. Widths: groups of each noise layer. MACs: multiply-accumulates of one example, counted plainly.${timed}`;
}

/** What pruning did to each noise layer, a line each. */
export function layerLines({ layers }: PruneReport): string[] {
  return layers.map(({ name, groups, kept, notes }) => [`${name}: ${groups} → ${kept}`, ...notes].join('; '));
}

/** What was cut, as a picture. */
export function chartOfWidths(
  layers: readonly { name: string; groups: number; kept: number }[],
  options: { title?: string; width?: number },
): string {
  const by = (key: 'groups' | 'kept') => Object.fromEntries(layers.map((layer) => [layer.name, layer[key]]));
  return widthsChart(by('groups'), by('kept'), options);
}
