import { BenchError } from './errors.js';
import { frame } from './frame.js';
import { told } from './measure.js';
import { baseOption, ink, palette, renderSvg, valueAxis } from './svg.js';

/** What a network is at one threshold. */
export interface SweepPoint {
  threshold: number;
  /** Multiply-accumulates of one example. */
  macs: number;
  /** Error, by what it was measured on, such as 'test set'. */
  errors: Readonly<Record<string, number>>;
}

/**
 * An SVG of one trained network cut at several thresholds: its errors (left axis) and the share of multiply-accumulates that stays (right
 * axis, grey).
 *
 * @param macs of the network before the cut
 * @param options.chosen a threshold to mark with a line. `title` default 'Error and cost by threshold'. `measure` says what the errors are, default
 *   'error %'.
 * @throws BenchError if there are no points, or one lacks an error that the first one has
 */
export function sweepChart(
  points: readonly SweepPoint[],
  macs: number,
  options: { title?: string; chosen?: number; measure?: string } = {},
): string {
  const { title = 'Error and cost by threshold', chosen } = options;
  const [first] = points;
  if (!first) throw new BenchError('sweepChart: no points were given; pass at least one');
  const sets = Object.keys(first.errors);
  const error = (point: SweepPoint, set: string): number => {
    const value = point.errors[set];
    if (value !== undefined && Number.isFinite(value)) return value;
    throw new BenchError(
      `sweepChart: the error on the ${set} is ${value} at the threshold ${point.threshold}; give numbers for every set of the first point`,
    );
  };
  const cost = 'multiply-accumulates';
  const names = [...sets.map((set) => `error, ${set}`), cost];
  const { width, height, ...parts } = frame({
    title,
    subtitle:
      'Groups whose signal-to-noise ratio is not above the threshold are cut out of one trained network',
    names,
    height: 420,
    gap: 70,
    beside: 110,
    itemWidth: 26,
  });
  const line = { type: 'line', silent: true, symbol: 'circle', symbolSize: 5 } as const;
  const marked = chosen === undefined ? {} : { markLine: chosenLine(chosen) };
  return renderSvg(
    {
      ...baseOption,
      ...parts,
      xAxis: {
        ...valueAxis,
        name: 'threshold',
        nameGap: 32,
        min: first.threshold,
        max: points.at(-1)!.threshold || 1,
        splitLine: { show: false },
        axisLine: { lineStyle: { color: ink.soft } },
      },
      yAxis: [
        {
          ...valueAxis,
          name: told(options.measure).axis,
          nameGap: 42,
          min: 0,
          splitLine: { lineStyle: { color: ink.line } },
        },
        {
          ...valueAxis,
          name: 'multiply-accumulates left (%)',
          nameGap: 42,
          nameRotate: 90,
          min: 0,
          max: 100,
          splitLine: { show: false },
        },
      ],
      series: [
        ...sets.map((set, i) => ({
          ...line,
          name: `error, ${set}`,
          data: points.map((point) => [point.threshold, error(point, set)]),
          lineStyle: { width: 2.5 },
          itemStyle: { color: palette[i % palette.length] },
          z: 3,
          ...(i === 0 && marked),
        })),
        {
          ...line,
          name: cost,
          yAxisIndex: 1,
          data: points.map((point) => [point.threshold, (100 * point.macs) / macs]),
          lineStyle: { width: 2, type: 'dashed' },
          itemStyle: { color: ink.soft },
        },
      ],
    },
    width,
    height,
  );
}

const chosenLine = (threshold: number) => ({
  symbol: 'none',
  label: { formatter: `chosen: ${threshold}`, color: ink.soft },
  lineStyle: { color: ink.soft, type: 'dotted' },
  data: [{ xAxis: threshold }],
});
