import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { BenchError } from './errors.js';
import { lossChart } from './loss-chart.js';
import { page, type Section } from './page.js';
import { trainingChart } from './training-chart.js';

const epochs = [1, 2, 3].map((epoch) => ({
  epoch,
  loss: 1 / epoch,
  kl: 1,
  trainError: 9 / epoch,
  error: 8 / epoch,
  kept: { conv1: 4 - epoch },
  total: { conv1: 4 },
}));
const hostile = `</pre><script>alert("x")</script>&'<b>`;
const blocks: Section['blocks'] = [
  { kind: 'text', text: `A note ${hostile}` },
  {
    kind: 'facts',
    facts: [
      ['Seed', '0'],
      [hostile, hostile],
    ],
  },
  {
    kind: 'table',
    rows: [
      { method: hostile, speedup: { median: 1.5, q1: 1.25, q3: 2 }, macs: 1234567 },
      { method: 'Original', speedup: undefined, macs: 100 },
    ],
    columns: [
      { key: 'method' },
      { key: 'speedup', title: 'speed-up', digits: 2, unit: '×', missing: '–' },
      { key: 'macs', title: 'MACs', digits: 0 },
    ],
  },
  { kind: 'chart', title: hostile, draw: (width) => trainingChart(epochs, { title: hostile, width }) },
  { kind: 'chart', title: 'Losses', draw: (width) => lossChart(epochs, { width }) },
  { kind: 'pictures', pictures: [{ png: Uint8Array.from([137, 80, 78, 71]), caption: hostile }] },
  { kind: 'code', title: 'Config', text: JSON.stringify({ name: hostile }) },
];
const html = page(hostile, 'a lead', [
  { title: 'First', blocks },
  { title: 'Second', blocks },
]);

describe('page', () => {
  it('is one well-formed page that is the same to the byte for the same content', () => {
    const [, markup] = /^<!doctype html>\n([\s\S]+)$/.exec(html)!;
    const valid = XMLValidator.validate(markup!, { unpairedTags: ['meta'] });
    expect(valid).toBe(true);
    const again = page(hostile, 'a lead', [
      { title: 'First', blocks },
      { title: 'Second', blocks },
    ]);
    expect(again).toBe(html);
  });

  it('reads nothing that it is given as HTML', () => {
    expect(html).not.toMatch(/<script|<b>/);
    expect(html.match(/<\/pre>/g)).toHaveLength(2);
    expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
  });

  it('fetches nothing and runs nothing', () => {
    expect(html).not.toMatch(/https?:|\/\/\w|src="(?!data:image\/png;base64,)|@import|javascript:| on\w+="/);
    const links = [...html.matchAll(/(?:href="|url\()([^")]+)/g)].map(([, to]) => to!);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
    expect(links.length).toBeGreaterThan(8);
    // Pictures that share a name would be cut by each other's outlines.
    expect(new Set(ids).size).toBe(ids.length);
    for (const link of links) expect(ids).toContain(link.replace(/^#/, ''));
  });

  it('has each chart for screens and for phones, and says what it is', () => {
    expect(html.match(/<svg class="wide" role="img" aria-label="Losses" viewBox="0 0 900 /g)).toHaveLength(2);
    expect(html.match(/<svg class="narrow" role="img" aria-label="Losses" viewBox="0 0 400 /g)).toHaveLength(
      2,
    );
    expect(html).toMatch(/@media \(max-width: 640px\) \{[^@]*svg\.wide \{ display: none; \}/);
  });

  it('writes tables as Markdown tables are written, quartiles under the median', () => {
    expect(html).toContain(
      '<td class="number">1.50× <small>(1.25–2.00)</small></td><td class="number">1,234,567</td>',
    );
    expect(html).toContain(
      '<th scope="row">Original</th><td class="number">–</td><td class="number">100</td>',
    );
  });

  it('has another colour on dark ground for everything that is dark', () => {
    const [, dark] = /@media \(prefers-color-scheme: dark\) \{([\s\S]+?)\n\}/.exec(html)!;
    const light = (colour: string) =>
      [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => {
        const value = Number.parseInt(colour.slice(2 * i + 1, 2 * i + 3), 16) / 255;
        return sum + share * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
      }, 0);
    const ground = light('#161b22');
    const shown = (attribute: string, colour: string) =>
      new RegExp(`svg \\[${attribute}="${colour}"\\] \\{ \\w+: (#\\w+); \\}`).exec(dark!)?.[1] ?? colour;
    const visible = [...html.matchAll(/<(?:text|path) [^>]*>/g)].filter(
      ([tag]) => !tag.includes('stroke-width="0"'),
    );
    const used = visible
      .flatMap(([tag]) => [...tag.matchAll(/ (fill|stroke)="(#\w{6})"/g)])
      .map(([, attribute, colour]) => [attribute!, colour!] as const)
      // grid lines and the ground itself are to be faint
      .filter(([, colour]) => !['#ffffff', '#d1d9e0'].includes(colour));
    expect(used.length).toBeGreaterThan(20);
    for (const [attribute, colour] of used) {
      const contrast = (light(shown(attribute, colour)) + 0.05) / (ground + 0.05);
      expect(contrast, `${attribute} ${colour}`).toBeGreaterThan(3);
    }
  });

  it('needs a section', () => {
    expect(() => page('a', 'b', [])).toThrow(BenchError);
  });
});
