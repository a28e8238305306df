import { type Column, type ModelTiming, table } from '@sbp/bench';
import type { Engine } from '@sbp/engine';
import type { PruneReport } from '@sbp/prune';

/** One row of a run's table. */
export interface Figures {
  method: string;
  /** Test error in %; null where the network was not trained. */
  error: number | null;
  /** Groups of each noise layer. */
  widths: string;
  parameters: number;
  /** Multiply-accumulates of one example. */
  macs: number;
  /** MACs of the original over this one's. */
  reduction: number;
  /** Bytes of model.json and weights. */
  bytes: number;
  /** By batch size, how much faster than the original; null where it was not timed. */
  speedup: Record<number, ModelTiming['speedup']> | null;
}

/** The table in Markdown, which reads well in a terminal, too. */
export function figuresTable(
  rows: readonly Figures[],
  batchSizes: readonly number[],
  device: string,
): string {
  const flat = rows.map(({ speedup, bytes, ...row }) => ({
    ...row,
    kilobytes: bytes / 1000,
    ...Object.fromEntries(batchSizes.map((batch) => [`batch${batch}`, speedup?.[batch] ?? null])),
  }));
  const missing = '–';
  const columns: Column[] = [
    { key: 'method' },
    { key: 'error', title: 'error %', digits: 2, missing },
    { key: 'widths' },
    { key: 'parameters', digits: 0 },
    { key: 'macs', title: 'MACs', digits: 0 },
    { key: 'reduction', title: 'MACs reduced', digits: 2, unit: '×' },
    { key: 'kilobytes', title: 'files, kB', digits: 0 },
    ...batchSizes.map((batch) => ({
      key: `batch${batch}`,
      title: `${device} speed-up, batch ${batch}`,
      digits: 2,
      unit: '×',
      missing,
    })),
  ];
  return table<Record<string, unknown>>(flat, columns);
}

/** What the table's figures mean, to stand under it. */
export function figuresNote(title: string, engine: Pick<Engine, 'name' | 'version' | 'device'>): string {
  return `${title}. Widths: groups of each noise layer. MACs: multiply-accumulates of one example, counted plainly. Speed-ups: inference on ${engine.name} ${engine.version} (${engine.device}), timed side by side, median (quartiles).`;
}

/** What pruning did to each noise layer, a line each. */
export function layerLines({ layers }: PruneReport): string[] {
  return layers.map(({ name, groups, kept, notes }) => [`${name}: ${groups} → ${kept}`, ...notes].join('; '));
}
