import { describe, expect, it } from 'vitest';
import { BenchError } from './errors.js';
import { lineOf, textsOf } from './svg.test-support.js';
import { type EpochRecord, trainingChart } from './training-chart.js';
import { widthsChart } from './widths-chart.js';

const before = { conv1: 20, conv2: 50, flatten: 800, dense1: 500 };
const after = { conv1: 3, conv2: 8, flatten: 210, dense1: 298 };
const run: EpochRecord[] = [
  { epoch: 1, error: 3, kept: before, total: before },
  { epoch: 2, error: 2, kept: { conv1: 10, conv2: 25, flatten: 400, dense1: 400 }, total: before },
  { epoch: 3, error: 1.364, kept: after, total: before },
];

/** Heights of the bars of this colour. */
function barHeights(svg: string, colour: string): number[] {
  return [...svg.matchAll(new RegExp(`<path d="([^"]+)" fill="${colour}"`, 'g'))].map((match) => {
    const ys = [...match[1]!.matchAll(/[ML]\S+ (\d+(?:\.\d+)?)/g)].map((point) => Number(point[1]));
    return Math.max(...ys) - Math.min(...ys);
  });
}

describe('trainingChart', () => {
  it('is the same to the byte for the same run, whatever was drawn before', () => {
    const first = trainingChart(run);
    widthsChart(before, after);
    expect(trainingChart(structuredClone(run))).toBe(first);
    expect(trainingChart(run.slice(0, 2))).not.toBe(first);
  });

  it('names axes, layers, widths and the last error', () => {
    const texts = textsOf(trainingChart(run, { title: 'LeNet-5 on MNIST' }));
    expect(texts).toEqual(
      expect.arrayContaining([
        'LeNet-5 on MNIST',
        'epoch',
        'groups kept (%)',
        'test error (%)',
        'conv1  20 → 3',
        'flatten  800 → 210',
        'dense1  500 → 298',
        'test error  1.36 %',
      ]),
    );
  });

  it('draws shares on the left axis and the error on the right one', () => {
    const svg = trainingChart(run);
    const conv1 = lineOf(svg, '#0072b2');
    const error = lineOf(svg, '#1f2328');
    expect(conv1).toHaveLength(3);
    const [top, half, end] = conv1.map(([, y]) => y) as [number, number, number];
    // From 100 % at the top through 50 % to 15 %; the axis' other end follows.
    const percent = (half - top) / 50;
    expect(end - top).toBeCloseTo(85 * percent, 0);
    const bottom = top + 100 * percent;
    const heights = error.map(([, y]) => bottom - y);
    expect(heights[1]! / heights[0]!).toBeCloseTo(2 / 3, 2);
    expect(heights[2]! / heights[0]!).toBeCloseTo(1.364 / 3, 2);
    expect(error.map(([x]) => x)).toEqual(conv1.map(([x]) => x));
  });

  it('draws a single epoch, a gap for a non-finite error, many layers and names that XML reserves', () => {
    expect(textsOf(trainingChart(run.slice(0, 1)))).toContain('test error  3.00 %');
    const diverged = run.map((record) => ({ ...record, error: Number.NaN }));
    expect(textsOf(trainingChart(diverged))).toContain('test error  – %');
    const total = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a<b>&"c'${i}`, 64]));
    const texts = textsOf(trainingChart([{ epoch: 1, error: 1, kept: total, total }]));
    expect(texts.filter((text) => text.includes('64 → 64'))).toHaveLength(20);
  });

  it('says what is missing', () => {
    expect(() => trainingChart([])).toThrow(BenchError);
    const { conv1: _, ...short } = after;
    expect(() => trainingChart([run[0]!, { ...run[1]!, kept: short }])).toThrow(
      "epoch 2 says undefined of 20 for layer 'conv1'",
    );
  });
});

describe('widthsChart', () => {
  it('is the same to the byte for the same network', () => {
    const first = widthsChart(before, after);
    trainingChart(run);
    expect(widthsChart({ ...before }, { ...after })).toBe(first);
  });

  it('writes both widths at every layer', () => {
    const texts = textsOf(widthsChart(before, after));
    expect(texts).toEqual(
      expect.arrayContaining([...Object.keys(before), '20', '50', '800', '500', '3', '8', '210', '298']),
    );
  });

  it('draws bars as high as the share that stays', () => {
    const svg = widthsChart(before, after);
    const full = barHeights(svg, '#dfe5eb');
    const kept = barHeights(svg, '#0969da');
    const shares = kept.map((height, i) => height / full[i]!);
    [3 / 20, 8 / 50, 210 / 800, 298 / 500].forEach((share, i) => {
      expect(shares[i]).toBeCloseTo(share, 2);
    });
  });

  it('keeps the ends of long names, which tell layers apart', () => {
    const names = { log_normal_dropout_of_block_11: 4, log_normal_dropout_of_block_12: 4 };
    const texts = textsOf(widthsChart(names, names));
    expect(texts).toEqual(expect.arrayContaining(['log_norma…f_block_11', 'log_norma…f_block_12']));
  });

  it('says what is wrong', () => {
    expect(() => widthsChart({}, {})).toThrow('no layers');
    expect(() => widthsChart({ a: 3 }, { a: 4 })).toThrow("layer 'a' goes from 3 to 4");
    expect(() => widthsChart({ a: 3 }, {})).toThrow("layer 'a' goes from 3 to undefined");
    expect(() => widthsChart({ a: 0 }, { a: 0 })).toThrow(BenchError);
  });
});
