import { BenchError } from './errors.js';
import { frame } from './frame.js';
import { baseOption, ink, palette, renderSvg, valueAxis } from './svg.js';

/** What a chart of losses needs to know of an epoch; numbers that are not finite leave gaps. */
export interface LossRecord {
  epoch: number;
  /** Mean cross-entropy of the training batches, in nats, noise on. */
  loss: number;
  /** The KL's part of the objective per example, in nats; 0 in every epoch for a method without. */
  kl: number;
  /** Errors in %, on the training, test and held-out images. */
  trainError: number;
  error: number;
  validationError?: number | undefined;
}

/**
 * An SVG of a training run's objective and errors by epoch: cross-entropy and KL in nats per example (left axis, logarithmic, lines) and errors in %
 * (right axis, dashed).
 *
 * @param options.title default 'Loss, KL and error by epoch'. `width` default 900.
 * @throws BenchError if there are no epochs
 */
export function lossChart(
  epochs: readonly LossRecord[],
  options: { title?: string; width?: number } = {},
): string {
  const { title = 'Loss, KL and error by epoch' } = options;
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (!first || !last) throw new BenchError('lossChart: no epochs were given; pass at least one');
  const curves = allCurves.filter(({ of, always }) => always || epochs.some((epoch) => (of(epoch) ?? 0) > 0));
  const labels = new Map(curves.map(({ name, of, inPercent }) => [name, label(name, of(last), inPercent)]));
  const names = curves.map(({ name }) => name);
  const { width, height, ...parts } = frame({
    title,
    subtitle: 'Lines: mean of the training batches, in nats per example. Dashed: share that is wrong',
    names,
    labels: [...labels.values()],
    width: options.width,
    height: 420,
    gap: 64,
    beside: 70 + 44,
    itemWidth: 30,
  });
  const axis = { ...valueAxis, nameGap: 42 };

  return renderSvg(
    {
      ...baseOption,
      ...parts,
      legend: { ...parts.legend, formatter: (name: string) => labels.get(name)! },
      xAxis: {
        ...axis,
        name: 'epoch',
        nameGap: 32,
        // An axis needs two ends, even for a single epoch.
        min: Math.min(first.epoch, last.epoch - 1),
        max: last.epoch,
        minInterval: 1,
        splitLine: { show: false },
        axisLine: { lineStyle: { color: ink.soft } },
      },
      yAxis: [
        {
          ...axis,
          type: 'log',
          name: 'nats per example',
          axisLabel: {
            ...axis.axisLabel,
            formatter: (value: number) => String(Number(value.toPrecision(2))),
          },
          splitLine: { lineStyle: { color: ink.line } },
        },
        { ...axis, name: 'error (%)', nameRotate: 90, min: 0, splitLine: { show: false } },
      ],
      series: curves.map(({ name, of, inPercent, colour }) => ({
        type: 'line',
        silent: true,
        name,
        yAxisIndex: inPercent ? 1 : 0,
        data: epochs.map((record) => [record.epoch, drawn(of(record), inPercent)]),
        symbol: epochs.length === 1 ? 'circle' : 'none',
        lineStyle: { width: 2.5, type: inPercent ? 'dashed' : 'solid' },
        itemStyle: { color: colour },
      })),
    },
    width,
    height,
  );
}

interface Curve {
  name: string;
  of(epoch: LossRecord): number | undefined;
  inPercent: boolean;
  colour: string;
  /** Also where it is 0 in every epoch. */
  always: boolean;
}

const allCurves: readonly Curve[] = [
  { name: 'loss', of: ({ loss }) => loss, inPercent: false, colour: palette[0]!, always: true },
  { name: 'KL', of: ({ kl }) => kl, inPercent: false, colour: palette[1]!, always: false },
  {
    name: 'training error',
    of: ({ trainError }) => trainError,
    inPercent: true,
    colour: palette[4]!,
    always: true,
  },
  { name: 'test error', of: ({ error }) => error, inPercent: true, colour: ink.strong, always: true },
  {
    name: 'held-out error',
    of: ({ validationError }) => validationError,
    inPercent: true,
    colour: palette[3]!,
    always: false,
  },
];

function label(name: string, value = Number.NaN, inPercent: boolean): string {
  if (!Number.isFinite(value)) return `${name}  –`;
  return inPercent ? `${name}  ${value.toFixed(2)} %` : `${name}  ${Number(value.toPrecision(3))}`;
}

/** A logarithmic axis has no 0. */
function drawn(value: number | undefined, inPercent: boolean): number | null {
  if (value === undefined || !Number.isFinite(value)) return null;
  return inPercent || value > 0 ? value : null;
}
