import { BenchError } from './errors.js';
import { frame } from './frame.js';
import { type Told, told } from './measure.js';
import { baseOption, ink, palette, renderSvg, valueAxis } from './svg.js';

/** What a chart of losses needs to know of an epoch; numbers that are not finite leave gaps. */
export interface LossRecord {
  epoch: number;
  /** Mean cross-entropy of the training batches, in nats, noise on. */
  loss: number;
  /** The KL's part of the objective per example, in nats; 0 in every epoch for a method without. */
  kl: number;
  /** Errors on the training, test and held-out examples. */
  trainError: number;
  error: number;
  validationError?: number | undefined;
}

/**
 * An SVG of a training run's objective and errors by epoch: cross-entropy and KL in nats per example (left axis, logarithmic, lines) and errors
 * (right axis, dashed).
 *
 * @param options.title default 'Loss, KL and error by epoch'. `width` default 900. `measure` says what the errors are, default 'error %'.
 * @throws BenchError if there are no epochs
 */
export function lossChart(
  epochs: readonly LossRecord[],
  options: { title?: string; width?: number; measure?: string } = {},
): string {
  const { title = 'Loss, KL and error by epoch' } = options;
  const errors = told(options.measure);
  const [first, last] = [epochs[0], epochs.at(-1)];
  if (!first || !last) throw new BenchError('lossChart: no epochs were given; pass at least one');
  const curves = allCurves.filter(({ of, always }) => always || epochs.some((epoch) => (of(epoch) ?? 0) > 0));
  const labels = new Map(
    curves.map(({ name, of, isError }) => [name, label(name, of(last), isError && errors)]),
  );
  const names = curves.map(({ name }) => name);
  const { width, height, ...parts } = frame({
    title,
    subtitle: `Lines: mean of the training batches, ${perExample(errors)}. Dashed: ${errors.isShare ? 'share that is wrong' : errors.axis}`,
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
          name: errors.isShare ? 'nats per example' : 'loss per example',
          axisLabel: {
            ...axis.axisLabel,
            formatter: (value: number) => String(Number(value.toPrecision(2))),
          },
          splitLine: { lineStyle: { color: ink.line } },
        },
        { ...axis, name: errors.axis, nameRotate: 90, min: 0, splitLine: { show: false } },
      ],
      series: curves.map(({ name, of, isError, colour }) => ({
        type: 'line',
        silent: true,
        name,
        yAxisIndex: isError ? 1 : 0,
        data: epochs.map((record) => [record.epoch, drawn(of(record), isError)]),
        symbol: epochs.length === 1 ? 'circle' : 'none',
        lineStyle: { width: 2.5, type: isError ? 'dashed' : 'solid' },
        itemStyle: { color: colour },
      })),
    },
    width,
    height,
  );
}

const perExample = ({ isShare }: Told) => (isShare ? 'in nats per example' : 'per example');

interface Curve {
  name: string;
  of(epoch: LossRecord): number | undefined;
  isError: boolean;
  colour: string;
  /** Also where it is 0 in every epoch. */
  always: boolean;
}

const allCurves: readonly Curve[] = [
  { name: 'loss', of: ({ loss }) => loss, isError: false, colour: palette[0]!, always: true },
  { name: 'KL', of: ({ kl }) => kl, isError: false, colour: palette[1]!, always: false },
  {
    name: 'training error',
    of: ({ trainError }) => trainError,
    isError: true,
    colour: palette[4]!,
    always: true,
  },
  { name: 'test error', of: ({ error }) => error, isError: true, colour: ink.strong, always: true },
  {
    name: 'held-out error',
    of: ({ validationError }) => validationError,
    isError: true,
    colour: palette[3]!,
    always: false,
  },
];

function label(name: string, value = Number.NaN, errors: Told | false): string {
  if (!Number.isFinite(value)) return `${name}  –`;
  return errors ? `${name}  ${errors.shown(value)}` : `${name}  ${Number(value.toPrecision(3))}`;
}

/** A logarithmic axis has no 0. */
function drawn(value: number | undefined, isError: boolean): number | null {
  if (value === undefined || !Number.isFinite(value)) return null;
  return isError || value > 0 ? value : null;
}
