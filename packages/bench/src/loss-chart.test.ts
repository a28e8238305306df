import { describe, expect, it } from 'vitest';
import { BenchError } from './errors.js';
import { type LossRecord, lossChart } from './loss-chart.js';
import { lineOf, textsOf } from './svg.test-support.js';

const epochs: LossRecord[] = [
  { epoch: 1, loss: 1, kl: 10, trainError: 40, error: 20 },
  { epoch: 2, loss: 0.1, kl: 1, trainError: 10, error: 10 },
  { epoch: 3, loss: 0.01, kl: 0.1, trainError: 0, error: 1.364 },
];

describe('lossChart', () => {
  it('names its curves with their last values, and leaves out what there is none of', () => {
    const texts = textsOf(lossChart(epochs, { title: 'LeNet-5' }));
    expect(texts).toEqual(
      expect.arrayContaining([
        'LeNet-5',
        'loss  0.01',
        'KL  0.1',
        'training error  0.00 %',
        'test error  1.36 %',
        'nats per example',
        'error (%)',
      ]),
    );
    expect(texts.join()).not.toContain('held-out');
    const plain = epochs.map((record) => ({ ...record, kl: 0, validationError: 2 }));
    const others = textsOf(lossChart(plain));
    expect(others).toContain('held-out error  2.00 %');
    expect(others.filter((text) => text.startsWith('KL'))).toEqual([]);
  });

  it('draws equal ratios equally far apart on the left axis, and errors on the right one', () => {
    const svg = lossChart(epochs);
    const [loss, kl, error] = ['#0072b2', '#e69f00', '#1f2328'].map((colour) =>
      lineOf(svg, colour).map(([, y]) => y),
    ) as [number[], number[], number[]];
    const step = loss[1]! - loss[0]!;
    expect(step).toBeGreaterThan(10);
    for (const line of [loss, kl]) expect(line[2]! - line[1]!).toBeCloseTo(step, 0);
    // Ten times as much is one step further up.
    expect(loss[0]! - kl[0]!).toBeCloseTo(step, 0);
    expect((error[2]! - error[1]!) / (error[1]! - error[0]!)).toBeCloseTo((10 - 1.364) / 10, 1);
  });

  it('leaves gaps where a logarithm or a number is not there', () => {
    const torn = [{ ...epochs[0]!, loss: 0 }, { ...epochs[1]!, error: Number.NaN }, epochs[2]!];
    expect(textsOf(lossChart(torn))).toContain('loss  0.01');
    expect(lineOf(lossChart(torn), '#0072b2')).toHaveLength(2);
    expect(textsOf(lossChart([{ ...epochs[0]!, error: Number.NaN }]))).toContain('test error  –');
  });

  it('needs epochs', () => {
    expect(() => lossChart([])).toThrow(BenchError);
  });
});
