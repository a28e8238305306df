import { describe, expect, it } from 'vitest';
import { timeSideBySide } from './interleave.js';
import { type Column, modelTimingColumns, table, timingColumns } from './table.js';

const lines = (...text: string[]) => text.join('\n');

describe('table', () => {
  it('pads columns, aligns numbers to the right and groups thousands', () => {
    expect(
      table([
        { net: 'before', widths: '20-50-800-500', macs: 2293000 },
        { net: 'after', widths: '3-8-210-298', macs: 146980 },
      ]),
    ).toBe(
      lines(
        '| net    | widths        |      macs |',
        '| :----- | :------------ | --------: |',
        '| before | 20-50-800-500 | 2,293,000 |',
        '| after  | 3-8-210-298   |   146,980 |',
      ),
    );
  });

  it('gives three significant digits where a column holds fractions, and keeps what it is told', () => {
    const rows = [{ x: 1 }, { x: 12.345 }, { x: 1234.5 }, { x: 0.012345 }, { x: 1.5e-7 }, { x: 0 }];
    const cells = (column: Column<{ x: number }>) =>
      table(rows, [column])
        .split('\n')
        .slice(2)
        .map((line) => line.replace(/^\| *(.*?) *\|$/, '$1'));
    expect(cells({ key: 'x' })).toEqual(['1.00', '12.3', '1,235', '0.0123', '1.50e-7', '0.00']);
    expect(cells({ key: 'x', digits: 1, unit: ' %' })).toEqual([
      '1.0 %',
      '12.3 %',
      '1,234.5 %',
      '0.0 %',
      '0.0 %',
      '0.0 %',
    ]);
  });

  it('writes a spread with one number of decimals', () => {
    const rows = [
      { speed: { median: 12.34, q1: 9.876, q3: 101.55 } },
      { speed: { median: 0.5, q1: 0.25, q3: 0.75 } },
    ];
    expect(table(rows)).toBe(
      lines(
        '|               speed |',
        '| ------------------: |',
        '|    12.3 (9.9–101.6) |',
        '| 0.500 (0.250–0.750) |',
      ),
    );
    expect(table(rows.slice(0, 1), [{ key: 'speed', digits: 0, unit: '×' }])).toContain('| 12× (10–102) |');
  });

  it('leaves missing values empty and cannot be broken by a pipe or a line break', () => {
    const rows: { a?: string; b?: number | null }[] = [{ a: 'x|y\nz' }, { b: 3 }, { a: 'w', b: null }];
    expect(table(rows)).toBe(
      lines('| a      |  b |', '| :----- | -: |', '| x\\|y z |    |', '|        |  3 |', '| w      |    |'),
    );
  });

  it("holds strangers' names as text, for who shows Markdown and for terminals", () => {
    expect(table([{ a: '<b>x</b> \u001b[31m 1 < 2' }])).toContain('\\<b>x\\</b>  [31m 1 < 2');
  });

  it('puts what a column says in place of missing values, still aligned as numbers', () => {
    expect(table([{ b: 3 }, {}], [{ key: 'b', missing: '–' }])).toBe(
      lines('|  b |', '| -: |', '|  3 |', '|  – |'),
    );
  });

  it('shows the headings when there are no rows', () => {
    expect(table([], modelTimingColumns)).toContain('| model | engine | batch |');
  });

  it('prints what the timings return', async () => {
    let time = 0;
    const spend = (millis: number) => () => {
      time += millis;
    };
    const rows = await timeSideBySide({ plain: spend(60), noisy: spend(63) }, { now: () => time });
    expect(table(rows, timingColumns)).toBe(
      lines(
        '|       | ms (quartiles) |  time (quartiles) |',
        '| :---- | -------------: | ----------------: |',
        '| plain |     60 (60–60) | 1.00× (1.00–1.00) |',
        '| noisy |     63 (63–63) | 1.05× (1.05–1.05) |',
      ),
    );
  });
});
