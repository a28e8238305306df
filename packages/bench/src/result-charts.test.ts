import { describe, expect, it } from 'vitest';
import { type ErrorSeries, errorMacsChart } from './error-macs-chart.js';
import { BenchError } from './errors.js';
import { memoryChart } from './memory-chart.js';
import { lineOf, textsOf } from './svg.test-support.js';
import { sweepChart } from './sweep-chart.js';

const series: ErrorSeries[] = [
  { name: 'Original', kind: 'measured', points: [{ macs: 2_293_000, error: 0.8 }] },
  {
    name: 'StructuredBP',
    kind: 'measured',
    points: [
      { macs: 200_000, error: 0.7 },
      { macs: 210_000, error: 0.9 },
    ],
  },
  { name: 'StructuredBP', kind: 'published', points: [{ macs: 218_000, error: 0.86 }] },
  {
    name: 'StructuredBP',
    kind: 'curve',
    points: [
      { macs: 150_000, error: 1.1 },
      { macs: 120_000, error: 60 },
    ],
  },
];

describe('errorMacsChart', () => {
  it('says what it draws, and names each method once', () => {
    const texts = textsOf(errorMacsChart(series, { title: 'LeNet-5 on MNIST' }));
    expect(texts).toEqual(
      expect.arrayContaining([
        'LeNet-5 on MNIST',
        'Filled: measured here. Hollow: published. Lines: one network at thresholds from 0 to 2',
        'error (%)',
        'multiply-accumulates of one example',
        '100 k',
      ]),
    );
    expect(texts.filter((text) => text === 'StructuredBP')).toHaveLength(1);
    expect(textsOf(errorMacsChart(series.slice(0, 1)))).toContain('Filled: measured here');
  });

  it('draws published points hollow in the colour of the measured ones', () => {
    const hollow = /fill="#ffffff" stroke="#e69f00"/;
    expect(errorMacsChart(series)).toMatch(hollow);
    expect(errorMacsChart(series.slice(0, 2))).not.toMatch(hollow);
  });

  it('leaves out what is above the highest error, which sets the axis', () => {
    const axis = (svg: string) =>
      Math.max(...textsOf(svg).flatMap((text) => (/^\d+\.\d\d$/.test(text) ? +text : [])));
    expect(axis(errorMacsChart(series))).toBeGreaterThan(50);
    expect(axis(errorMacsChart(series, { highest: 2 }))).toBeLessThan(2);
  });

  it.each([[[]], [[{ name: 'a', kind: 'measured', points: [{ macs: 0, error: 1 }] }]]] as [ErrorSeries[]][])(
    'does not draw %j',
    (wrong) => {
      expect(() => errorMacsChart(wrong)).toThrow(BenchError);
    },
  );
});

describe('sweepChart', () => {
  const points = [
    { threshold: 0, macs: 1000, errors: { 'test set': 1, 'training set': 0.5 } },
    { threshold: 1, macs: 400, errors: { 'test set': 2, 'training set': 1.5 } },
    { threshold: 2, macs: 100, errors: { 'test set': 8, 'training set': 7.5 } },
  ];

  it('draws errors rising and cost falling', () => {
    const svg = sweepChart(points, 1000, { title: 'Thresholds' });
    expect(textsOf(svg)).toEqual(
      expect.arrayContaining(['Thresholds', 'error, test set', 'error, training set', 'threshold']),
    );
    const [test, training] = ['#0072b2', '#e69f00'].map((colour) => lineOf(svg, colour).map(([, y]) => y));
    // the picture's y grows downwards
    expect(test![2]).toBeLessThan(test![0]!);
    for (const [i, y] of training!.entries()) expect(y).toBeGreaterThan(test![i]!);
  });

  it('marks the chosen threshold', () => {
    expect(textsOf(sweepChart(points, 1000, { chosen: 1 }))).toContain('chosen: 1');
    expect(textsOf(sweepChart(points, 1000)).join()).not.toContain('chosen');
  });

  it('needs every error of every point', () => {
    const torn = [...points, { threshold: 3, macs: 1, errors: { 'test set': 9 } }];
    expect(() => sweepChart(torn, 1000)).toThrow(
      /error on the training set is undefined at the threshold 3; give numbers/,
    );
    expect(() => sweepChart([], 1)).toThrow(BenchError);
  });
});

describe('memoryChart', () => {
  const plain = [1, 2, 3].map((epoch) => ({ epoch, error: 90 - 30 * (epoch - 1), kept: {}, total: {} }));
  const noisy = [1, 2, 3].map((epoch) => ({
    epoch,
    error: 90,
    kept: { a: 20 - 5 * epoch, b: 5 },
    total: { a: 20, b: 5 },
  }));

  it('draws accuracy, and all groups as kept where there is no noise', () => {
    const svg = memoryChart([
      { name: 'Plain', epochs: plain },
      { name: 'Noisy', epochs: noisy },
    ]);
    expect(textsOf(svg)).toEqual(
      expect.arrayContaining([
        'Plain: accuracy',
        'Plain: groups kept',
        'Noisy: accuracy',
        'Noisy: groups kept',
      ]),
    );
    const lines = [...svg.matchAll(/<path d="M([^"AZ]+)" fill="none"[^>]* stroke="(#0072b2|#e69f00)"/g)].map(
      ([, path]) => path!.split('L').map((point) => Number(point.split(' ')[1])),
    );
    const rises = (ys: number[]) => Math.sign(ys[0]! - ys.at(-1)!);
    // accuracy and groups of the plain network, then of the noisy one
    expect(lines.slice(0, 4).map(rises)).toEqual([1, 0, 0, -1]);
  });

  it('needs epochs', () => {
    expect(() => memoryChart([])).toThrow(BenchError);
    expect(() => memoryChart([{ name: 'a', epochs: [] }])).toThrow(/'a' has no epochs/);
  });
});
