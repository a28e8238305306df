import { markdownTable } from 'markdown-table';
import type { ModelTiming } from './batches.js';
import type { Timing } from './interleave.js';
import type { Spread } from './spread.js';

export interface Column<Row extends object = Record<string, unknown>> {
  key: keyof Row & string;
  /** Heading. Default: the key. */
  title?: string;
  /** Decimals of numbers. Default: none if the whole column is of integers, else as many as give three significant digits. */
  digits?: number;
  /** Written right behind numbers, such as '×' or ' %'. */
  unit?: string;
  /** Stands for a missing value. Default: nothing. */
  missing?: string;
}

/** What `timeSideBySide` measured: time of a call, and its ratio to the first. */
export const timingColumns: readonly Column<Timing>[] = [
  { key: 'name', title: '' },
  { key: 'milliseconds', title: 'ms (quartiles)' },
  { key: 'ratio', title: 'time (quartiles)', digits: 2, unit: '×' },
];

/** What `timeModels` measured: time of a batch, and how much faster that is than the first entry's. */
export const modelTimingColumns: readonly Column<ModelTiming>[] = [
  { key: 'name', title: 'model' },
  { key: 'engine' },
  { key: 'batchSize', title: 'batch' },
  { key: 'milliseconds', title: 'ms (quartiles)' },
  { key: 'examplesPerSecond', title: 'examples/s', digits: 0 },
  { key: 'speedup', title: 'speed-up (quartiles)', digits: 2, unit: '×' },
];

/** A column as it is written. */
export interface WrittenColumn {
  title: string;
  align: 'left' | 'right';
  cells: string[];
}

/**
 * A Markdown table that reads as well in a terminal: columns are padded, and those of numbers aligned to the right.
 * A `Spread` is written `median (lower–upper quartile)`, a missing value as its column says, and anything else as a string.
 *
 * @param columns keys of the rows, or columns with a heading and a format. Default: every key, in the order of first appearance.
 */
export function table<Row extends object>(
  rows: readonly Row[],
  columns?: readonly (Column<Row> | (keyof Row & string))[],
): string {
  const written = writtenColumns(rows, columns);
  const body = rows.map((_, i) => written.map(({ cells }) => cells[i]!));
  return markdownTable(
    [written.map(({ title }) => title), ...body].map((line) => line.map(inOneCell)),
    { align: written.map(({ align }) => align) },
  );
}

/** What {@link table} has in its columns. */
export function writtenColumns<Row extends object>(
  rows: readonly Row[],
  columns?: readonly (Column<Row> | (keyof Row & string))[],
): WrittenColumn[] {
  const chosen = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return chosen.map((column) => {
    const {
      key,
      title = key,
      digits,
      unit = '',
      missing = '',
    } = typeof column === 'string' ? { key: column } : column;
    const cells = rows.map((row): unknown => row[key as keyof Row]);
    const numbers = cells.flatMap((cell) => (isSpread(cell) ? Object.values(cell) : cell)).filter(isNumber);
    const decimals = digits ?? (numbers.every(Number.isInteger) ? 0 : undefined);
    const filled = cells.filter((cell) => cell !== undefined && cell !== null);
    return {
      title,
      align: filled.length > 0 && filled.every((cell) => isNumber(cell) || isSpread(cell)) ? 'right' : 'left',
      cells: cells.map((cell) => write(cell ?? missing, decimals, unit)),
    };
  });
}

function write(cell: unknown, decimals: number | undefined, unit: string): string {
  if (isNumber(cell)) return writeNumber(cell, decimals) + unit;
  if (!isSpread(cell)) return String(cell);
  // One number of decimals for the three, so that they can be compared at a glance.
  const shared = decimals ?? decimalsFor(cell.median);
  const [median, q1, q3] = [cell.median, cell.q1, cell.q3].map((value) => writeNumber(value, shared));
  return `${median}${unit} (${q1}–${q3})`;
}

function writeNumber(value: number, decimals = decimalsFor(value)): string {
  if (Math.abs(value) < 1e-3 && value !== 0 && decimals > 5) return value.toExponential(2);
  // A fixed locale: the same result gives the same file everywhere.
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Decimals that leave three significant digits. */
function decimalsFor(value: number): number {
  const magnitude = value === 0 || !Number.isFinite(value) ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return Math.min(Math.max(2 - magnitude, 0), 20);
}

function isNumber(cell: unknown): cell is number {
  return typeof cell === 'number';
}

function isSpread(cell: unknown): cell is Spread {
  return typeof cell === 'object' && cell !== null && 'median' in cell && 'q1' in cell && 'q3' in cell;
}

function inOneCell(text: string): string {
  return (
    text
      .replaceAll('|', '\\|')
      // what would begin HTML where Markdown is shown
      .replaceAll(/<(?=[a-z/!?])/gi, '\\<')
      // line breaks, and what terminals take for orders
      .replaceAll(/\p{Cc}+/gu, ' ')
  );
}
