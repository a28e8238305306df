import { expect, it } from 'vitest';
import { type Compressed, compressedTable } from './compressed-table.js';

const one = (label: string, error: number, macs: number): Compressed => ({
  label,
  result: {
    measure: 'error %',
    before: { error: 2, macs: 1000, params: 500, bytes: 2000 },
    after: { error, macs, params: macs / 2, bytes: 2 * macs },
  },
});

it('has a row for what is named alike, with its spread, and names the front', () => {
  const text = compressedTable([one('macs0.4', 3, 400), one('macs0.4', 5, 380), one('macs0.2', 6, 200), one('l1', 7, 390)]);
  expect(text).toMatch(/\| macs0\.4, 2 runs +\| 2\.00 \(2\.00–2\.00\) +\| 4\.00 \(3\.00–5\.00\) +\| +390 \|/);
  expect(text).toMatch(/\| macs0\.2 +\| +2\.00 \| +6\.00 \| +200 \| +5\.00× \| +100 \| +0 \|/);
  expect(text).toMatch(/better than in both: macs0\.2; macs0\.4\.$/);
});
