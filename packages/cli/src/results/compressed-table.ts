import { type Column, type Spread, table } from '@sbp/bench';
import type { CompressResult } from '../compress/report/result.js';
import { errorColumn } from '../measure/figures.js';
import { frontOf } from './front.js';

/** What one `sbp compress` came to, and what its row is called; those of one name differ in their seed alone. */
export interface Compressed {
  label: string;
  result: Pick<CompressResult, 'measure' | 'before' | 'after'>;
}

/** The table of what compressions came to, in Markdown: a row a label, with mean and spread over seeds, and the front of error against MACs. */
export function compressedTable(all: readonly Compressed[]): string {
  const labels = [...new Set(all.map(({ label }) => label))];
  const groups = labels.map((label) => ({
    label,
    results: all.filter((one) => one.label === label).map(({ result }) => result),
  }));
  const rows = groups.map(({ label, results }) => ({
    run: `${label}${results.length > 1 ? `, ${results.length} runs` : ''}`,
    before: over(results.map(({ before }) => before.error)),
    error: over(results.map(({ after }) => after.error)),
    macs: mean(results.map(({ after }) => after.macs)),
    reduction: over(results.map(({ before, after }) => before.macs / after.macs)),
    parameters: mean(results.map(({ after }) => after.params)),
    kilobytes: mean(results.map(({ after }) => after.bytes / 1000)),
  }));
  const { measure } = all[0]!.result;
  const columns: Column[] = [
    { key: 'run' },
    { ...errorColumn(measure), key: 'before', title: `${measure} before` },
    { ...errorColumn(measure), key: 'error', title: 'after' },
    { key: 'macs', title: 'MACs', digits: 0 },
    { key: 'reduction', title: 'MACs reduced', digits: 2, unit: '×' },
    { key: 'parameters', digits: 0 },
    { key: 'kilobytes', title: 'files, kB', digits: 0 },
  ];
  const priced = groups.map(({ label, results }) => ({
    label,
    error: mean(results.map(({ after }) => after.error)),
    macs: mean(results.map(({ after }) => after.macs)),
  }));
  const front = frontOf(priced).map(({ label }) => label);
  return [
    '### Compressed',
    table<Record<string, unknown>>(rows, columns),
    `Of several runs: mean (least–most). The front of error against MACs, which no other row is better than in both: ${front.join('; ')}.`,
  ].join('\n\n');
}

function over(values: readonly number[]): number | Spread {
  if (values.length === 1) return values[0]!;
  return { median: mean(values), q1: Math.min(...values), q3: Math.max(...values) };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
