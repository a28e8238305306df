import { BenchError } from './errors.js';
import { frame } from './frame.js';
import { baseOption, ink, palette, renderSvg, valueAxis } from './svg.js';

/** A training run, for a chart of how well it learns its training images by heart. */
export interface MemoryRun {
  name: string;
  epochs: readonly {
    epoch: number;
    /** Error on the training images in %. */
    error: number;
    /** Groups that stay and all that there are, by layer; {} for a network without noise, which keeps all. */
    kept: Readonly<Record<string, number>>;
    total: Readonly<Record<string, number>>;
  }[];
}

/**
 * An SVG of several runs on the same images: accuracy on the training images (left axis, lines) and the share of groups kept (right axis,
 * dashed) by epoch.
 *
 * @param options.title default 'Accuracy on the training images, and groups kept'. `width` default 900.
 * @throws BenchError if there are no runs, or one has no epochs
 */
export function memoryChart(
  runs: readonly MemoryRun[],
  options: { title?: string; width?: number } = {},
): string {
  const { title = 'Accuracy on the training images, and groups kept' } = options;
  if (runs.length === 0) throw new BenchError('memoryChart: no runs were given; pass at least one');
  for (const { name, epochs } of runs)
    if (epochs.length === 0) throw new BenchError(`memoryChart: '${name}' has no epochs; pass at least one`);
  const sum = (groups: Readonly<Record<string, number>>) =>
    Object.values(groups).reduce((total, one) => total + one, 0);
  const share = ({ kept, total }: MemoryRun['epochs'][number]) =>
    sum(total) === 0 ? 100 : (100 * sum(kept)) / sum(total);
  const labels = ['accuracy', 'groups kept'] as const;
  const names = runs.flatMap(({ name }) => labels.map((label) => `${name}: ${label}`));
  const { width, height, ...parts } = frame({
    title,
    subtitle: 'Lines: share of the training images that it gets right. Dashed: share of its groups that stay',
    names,
    width: options.width,
    height: 420,
    gap: 70,
    beside: 120,
    itemWidth: 30,
  });
  const axis = { ...valueAxis, nameGap: 42 };
  const first = Math.min(...runs.map(({ epochs }) => epochs[0]!.epoch));
  const last = Math.max(...runs.map(({ epochs }) => epochs.at(-1)!.epoch));
  return renderSvg(
    {
      ...baseOption,
      ...parts,
      xAxis: {
        ...axis,
        name: 'epoch',
        nameGap: 32,
        // An axis needs two ends, even for a single epoch.
        min: Math.min(first, last - 1),
        max: last,
        minInterval: 1,
        splitLine: { show: false },
        axisLine: { lineStyle: { color: ink.soft } },
      },
      yAxis: [
        {
          ...axis,
          name: 'accuracy (%)',
          min: 0,
          max: 100,
          splitLine: { lineStyle: { color: ink.line } },
        },
        { ...axis, name: 'groups kept (%)', nameRotate: 90, min: 0, max: 100, splitLine: { show: false } },
      ],
      series: runs.flatMap(({ name, epochs }, i) =>
        labels.map((label, axisIndex) => ({
          type: 'line',
          silent: true,
          name: `${name}: ${label}`,
          yAxisIndex: axisIndex,
          data: epochs.map((one) => [one.epoch, axisIndex === 0 ? 100 - one.error : share(one)]),
          symbol: epochs.length === 1 ? 'circle' : 'none',
          lineStyle: { width: 2.5, type: axisIndex === 0 ? 'solid' : 'dashed' },
          itemStyle: { color: palette[i % palette.length] },
        })),
      ),
    },
    width,
    height,
  );
}
