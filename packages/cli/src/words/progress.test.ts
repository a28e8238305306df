import { PassThrough } from 'node:stream';
import type { EpochMetrics } from '@sbp/train';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { trainReporter } from './progress.js';

const metrics = (epoch: number): EpochMetrics => ({
  epoch,
  loss: 0.5,
  kl: 0.25,
  trainError: 9,
  error: 2,
  learningRate: 1e-3,
  kept: { conv1: 3, dense1: 40 },
  total: { conv1: 20, dense1: 50 },
  imagesPerSecond: 1000,
  seconds: 13,
});
const progress = {
  epoch: 2,
  epochs: 3,
  examples: 5000,
  of: 10_000,
  loss: 0.4,
  kl: 0.2,
  imagesPerSecond: 1000,
};

function output(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 200, cursorTo() {}, clearLine() {} });
  const reporter = trainReporter(stream as unknown as NodeJS.WriteStream, 3, [metrics(1)], {
    total: metrics(1).total,
  });
  return { reporter, text: () => String(stream.read() ?? '') };
}

afterEach(() => void vi.useRealTimers());

describe('trainReporter', () => {
  it('tells the metrics of an epoch beside its error', () => {
    const { reporter, text } = output(false);
    reporter.epoch({ ...metrics(1), metrics: { accuracy: 0.98, mae: 1.25 } });
    expect(text()).toContain('error 2.00 %  accuracy 0.9800  mae 1.250  3-40');
  });

  it('writes a plain line about every ten seconds and one an epoch where there is no terminal', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { reporter, text } = output(false);
    for (let i = 0; i < 41; i++) {
      reporter.progress(progress);
      vi.advanceTimersByTime(250);
    }
    // 15,000 images at 1,000 a second, and two evaluations of the 3 s that the first epoch's took
    expect(text()).toBe(
      'epoch 2/3  50 %  1,000 images/s  21 s left  error 2.00 %  3-40  loss 0.4000  KL 0.2000\n',
    );
    reporter.epoch(metrics(2));
    expect(text()).toBe(
      'epoch 2/3 100 %  1,000 images/s  took 13 s  error 2.00 %  3-40  loss 0.5000  KL 0.2500\n',
    );
  });

  it('draws a bar on a terminal and gives the cursor back', () => {
    const { reporter, text } = output(true);
    reporter.progress(progress);
    reporter.epoch(metrics(2));
    reporter.stop();
    const all = text();
    expect(all).toContain('epoch 2/3 ████████████████████ 1,000 images/s  took 13 s');
    expect(all.lastIndexOf('\u001b[?25h')).toBeGreaterThan(all.lastIndexOf('\u001b[?25l'));
  });
});
