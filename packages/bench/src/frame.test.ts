import { describe, expect, it } from 'vitest';
import { errorMacsChart } from './error-macs-chart.js';
import { lossChart } from './loss-chart.js';
import { memoryChart } from './memory-chart.js';
import { snrChart } from './snr-chart.js';
import { textsOf } from './svg.test-support.js';
import { trainingChart } from './training-chart.js';
import { widthsChart } from './widths-chart.js';

const widths = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`conv${i + 1}_noise`, 512]));
const epochs = [1, 2, 3].map((epoch) => ({
  epoch,
  loss: 1 / epoch,
  kl: 2 / epoch,
  trainError: 9,
  error: 8,
  kept: widths,
  total: widths,
}));
const title = 'A network with a long name on a data set whose name is no shorter, 300 epochs';
const points = [{ macs: 1e6, error: 1 }];
const name = 'StructuredBPa, KL 120-40-1-1 with a title as long as configs may give one';

const charts: [string, (width?: number) => string][] = [
  ['trainingChart', (width) => trainingChart(epochs, { title, width })],
  ['lossChart', (width) => lossChart(epochs, { title, width })],
  ['widthsChart', (width) => widthsChart(widths, widths, { title, width })],
  ['errorMacsChart', (width) => errorMacsChart([{ name, kind: 'measured', points }], { title, width })],
  ['memoryChart', (width) => memoryChart([{ name: 'Plain', epochs }], { title, width })],
  ['snrChart', (width) => snrChart([{ name: 'conv1', snr: [0.3, 3], threshold: 1 }], { title, width })],
];

describe.each(charts)('%s', (_, draw) => {
  it('is 900 wide where no width is asked for', () => {
    expect(draw()).toMatch(/^<svg width="900" height="\d+"/);
    expect(draw(900)).toBe(draw());
  });

  it('fits into 400, its heading in as many lines as it takes, each text within the picture', () => {
    const svg = draw(400);
    const height = Number(/^<svg width="400" height="([\d.]+)"/.exec(svg)![1]);
    const lines = textsOf(svg).filter((text) => text.length > 0 && title.includes(text.trim()));
    expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain(title);
    for (const [, x, y] of svg.matchAll(/<text [^>]*transform="translate\(([\d.]+) ([\d.]+)\)"/g)) {
      expect(Number(x)).toBeLessThan(400);
      expect(Number(y)).toBeLessThan(height);
    }
  });
});
