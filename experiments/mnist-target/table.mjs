// Compressions beside each other: node table.mjs <folder>... [--out <file.json>]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '@sbp/bench';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
const runs = positionals.map((folder) => {
  const { history, curve, timings, runtimes, ...result } = JSON.parse(
    readFileSync(join(folder, 'result.json'), 'utf8'),
  );
  return result;
});
const rows = runs.map(({ settings, before, cut, after, report, seconds }) => ({
  target: Object.entries(settings.target)
    .map(([name, value]) => `${name}=${value}`)
    .join(),
  epochs: `${settings.epochs} + ${settings.fineTune}`,
  seed: settings.seed,
  before: before.error,
  cut: cut.error,
  after: after.error,
  reduced: before.macs / after.macs,
  widths: report.widths.join('-'),
  drowned: `${report.target.taken.below}, ${report.target.taken.above}`,
  minutes: seconds / 60,
}));
console.log(
  table(rows, [
    { key: 'target' },
    { key: 'epochs' },
    { key: 'seed', digits: 0 },
    { key: 'before', title: 'error % before', digits: 2 },
    { key: 'cut', title: 'cut', digits: 2 },
    { key: 'after', title: 'fine-tuned', digits: 2 },
    { key: 'reduced', title: 'MACs reduced', digits: 2, unit: '×' },
    { key: 'widths' },
    { key: 'drowned', title: 'drowned, taken above' },
    { key: 'minutes', digits: 1 },
  ]),
);
if (values.out) writeFileSync(values.out, `${JSON.stringify(runs, undefined, 2)}\n`);
