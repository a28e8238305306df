import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BenchError } from './errors.js';
import { snrChart } from './snr-chart.js';
import { textsOf } from './svg.test-support.js';

/** Left, right and top of every area of a colour, in the order of drawing. */
function areas(svg: string, colour: string) {
  return [...svg.matchAll(new RegExp(`<path d="([^"]+)"[^>]* fill="${colour}"`, 'g'))].map(([, path]) => {
    const points = [...path!.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const xs = points.map(([x]) => x!);
    const ys = points.map(([, y]) => y!);
    return { left: Math.min(...xs), right: Math.max(...xs), height: Math.max(...ys) - Math.min(...ys) };
  });
}
const [grey, blue] = ['#9aa5b1', '#0969da'];
/** Of the dashed line. */
const thresholds = (svg: string) =>
  [...svg.matchAll(/<path d="M([\d.]+) [^"]+"[^>]* stroke-dasharray/g)].map(([, x]) => Number(x));

describe('snrChart', () => {
  const layers = [
    { name: 'conv1', snr: [0.3, 0.3, 0.3, 0.3, 20], threshold: 1 },
    { name: 'dense1', snr: [0.3, 2, 2], threshold: 1 },
  ];

  it('says of each layer how many groups are above its threshold', () => {
    expect(textsOf(snrChart(layers, { title: 'LeNet-5' }))).toEqual(
      expect.arrayContaining([
        'LeNet-5',
        'conv1  1 of 5 above 1',
        'dense1  2 of 3 above 1',
        'signal-to-noise ratio',
        '0.3',
        '10',
      ]),
    );
  });

  it('draws as many as there are, on their side of the threshold', () => {
    const svg = snrChart(layers);
    const [removed, kept, lines] = [areas(svg, grey!), areas(svg, blue!), thresholds(svg)];
    expect([removed.length, kept.length, lines.length]).toEqual([2, 2, 2]);
    expect(removed[0]!.height / kept[0]!.height).toBeCloseTo(4, 1);
    expect(kept[1]!.height / removed[1]!.height).toBeCloseTo(2, 1);
    for (const [i, line] of lines.entries()) {
      expect(removed[i]!.right).toBeLessThan(line);
      expect(kept[i]!.left).toBeGreaterThan(line);
    }
    // One axis for all: equal ratios stand equally far from the threshold.
    const from = (i: number) => lines[i]! - removed[i]!.left;
    expect(from(0)).toBeCloseTo(from(1), 0);
  });

  it('has the threshold between two bins, so that no bin is on both sides', () => {
    const svg = snrChart([{ name: 'a', snr: [1.3, 1.2999, 1.3001, 1.5, 0.4], threshold: 1.3 }]);
    const [line] = thresholds(svg);
    // ECharts draws lines on whole pixels.
    expect(Math.abs(areas(svg, grey!)[0]!.right - line!)).toBeLessThan(1.5);
    expect(Math.abs(areas(svg, blue!)[0]!.left - line!)).toBeLessThan(1.5);
    expect(textsOf(svg)).toContain('a  2 of 5 above 1.3');
  });

  it('counts every group, of any ratio and threshold', () => {
    const ratio = fc.oneof(
      fc.double({ min: 0, max: 3, noNaN: true }),
      fc.double({ min: 0, noNaN: true }),
      fc.constantFrom(0, 1, Number.POSITIVE_INFINITY),
    );
    const layer = fc.record({
      name: fc.constantFrom('conv1', 'a<b>&"c'),
      snr: fc.array(ratio, { minLength: 1, maxLength: 20 }),
      threshold: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1e6, noNaN: true })),
    });
    const one = fc.tuple(fc.array(layer, { minLength: 1, maxLength: 3 }), fc.constantFrom(400, 900));
    fc.assert(
      fc.property(one, ([given, width]) => {
        const texts = textsOf(snrChart(given, { width }));
        for (const { snr, threshold } of given) {
          // At a threshold of 0 a ratio that is too small for a float is drawn with the others.
          const above = threshold > 0 ? snr.filter((value) => value > threshold).length : snr.length;
          expect(
            texts.filter((text) => text.endsWith(`${above} of ${snr.length} above ${threshold}`)),
          ).not.toEqual([]);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('marks no threshold of 0', () => {
    const svg = snrChart([{ name: 'a', snr: [0.3, 3], threshold: 0 }]);
    expect(thresholds(svg)).toEqual([]);
    expect(areas(svg, grey!)).toEqual([]);
  });

  it('is the same to the byte for the same network', () => {
    expect(snrChart(structuredClone(layers))).toBe(snrChart(layers));
  });

  it.each([
    [[], 'no layers were given'],
    [[{ name: 'a', snr: [], threshold: 1 }], "layer 'a' has no groups"],
    [[{ name: 'a', snr: [1, Number.NaN], threshold: 1 }], "layer 'a' has a ratio of NaN"],
    [[{ name: 'a', snr: [1], threshold: -1 }], "layer 'a' has a threshold of -1"],
  ])('does not draw %j', (wrong, message) => {
    expect(() => snrChart(wrong)).toThrow(message);
    expect(() => snrChart(wrong)).toThrow(BenchError);
  });
});
