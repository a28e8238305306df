import { BenchError } from './errors.js';
import { frame } from './frame.js';
import { told } from './measure.js';
import { baseOption, ink, palette, renderSvg, valueAxis } from './svg.js';

/** Networks of one method, in a chart of what they cost and how often they are wrong. */
export interface ErrorSeries {
  /** In the legend; series of the same name share an entry there, and a colour. */
  name: string;
  /**
   * `measured`: a filled circle each. `published`: somebody else's figures, a hollow diamond each. `curve`: one network at several
   * thresholds, joined by a line in the order given.
   */
  kind: 'measured' | 'published' | 'curve';
  points: readonly { macs: number; error: number }[];
}

/**
 * An SVG of error against multiply-accumulates (logarithmic): further left and further down is better.
 *
 * @param options.title default 'Error against multiply-accumulates'. `highest` leaves out what is above that error. `width`
 * default 900. `measure` says what the errors are, default 'error %'; `lines`, what curves are.
 * @throws BenchError if there is no point to draw, or one without a positive number of MACs and a finite error.
 */
export function errorMacsChart(
  series: readonly ErrorSeries[],
  options: { title?: string; highest?: number; width?: number; measure?: string; lines?: string } = {},
): string {
  const { title = 'Error against multiply-accumulates', highest = Number.POSITIVE_INFINITY } = options;
  for (const { name, points } of series)
    for (const { macs, error } of points)
      if (!(macs > 0 && Number.isFinite(macs) && Number.isFinite(error)))
        throw new BenchError(
          `errorMacsChart: '${name}' has a point of ${macs} MACs and an error of ${error}; give a positive number and a finite one`,
        );
  const drawn = series.map((one) => ({ ...one, points: one.points.filter(({ error }) => error <= highest) }));
  const points = drawn.flatMap((one) => one.points);
  if (points.length === 0)
    throw new BenchError('errorMacsChart: there is no point to draw; give at least one');
  const names = [...new Set(series.map(({ name }) => name))];
  const colour = (name: string) => palette[names.indexOf(name) % palette.length];
  const { width, height, ...parts } = frame({
    title,
    subtitle: `Filled: measured here${has(series, 'published') ? '. Hollow: published' : ''}${has(series, 'curve') ? `. Lines: ${options.lines ?? 'one network at thresholds from 0 to 2'}` : ''}`,
    names,
    width: options.width,
    height: 460,
    gap: 16,
    beside: 60,
    itemWidth: 10,
  });
  const errors = points.map(({ error }) => error);
  const [least, most] = [Math.min(...errors), Math.max(...errors)];
  const { isShare, axis: errorAxis } = told(options.measure);
  const margin = Math.max(isShare ? 0.05 : 0.02 * most, (most - least) * 0.08);
  // whole twentieths of a percent
  const step = isShare ? 20 : 20 / 10 ** Math.floor(Math.log10(margin || 1) + 1);
  const axis = { ...valueAxis, splitLine: { lineStyle: { color: ink.line } } };
  const macs = points.map((point) => point.macs);

  return renderSvg(
    {
      ...baseOption,
      ...parts,
      legend: { ...parts.legend, icon: 'circle' },
      xAxis: {
        ...axis,
        type: 'log',
        name: 'multiply-accumulates of one example',
        nameGap: 32,
        min: niceBelow(Math.min(...macs)),
        max: niceAbove(Math.max(...macs)),
        axisLabel: { ...axis.axisLabel, formatter: short },
      },
      yAxis: {
        ...axis,
        name: errorAxis,
        nameGap: 44,
        min: Math.max(0, Math.floor((least - margin) * step) / step),
        max: Math.ceil((most + margin) * step) / step,
        axisLabel: {
          ...axis.axisLabel,
          formatter: (value: number) => (isShare ? value.toFixed(2) : String(Number(value.toPrecision(3)))),
        },
      },
      series: drawn.map(({ name, kind, points }) => ({
        type: kind === 'curve' ? 'line' : 'scatter',
        silent: true,
        name,
        data: points.map((point) => [point.macs, point.error]),
        symbol: kind === 'published' ? 'diamond' : 'circle',
        symbolSize: { measured: 11, published: 13, curve: 4 }[kind],
        lineStyle: { width: 1.5, color: colour(name) },
        itemStyle:
          kind === 'published'
            ? { color: ink.ground, borderColor: colour(name), borderWidth: 2, opacity: 1 }
            : {
                color: colour(name),
                borderColor: ink.ground,
                borderWidth: kind === 'measured' ? 1 : 0,
                opacity: 1,
              },
        z: kind === 'curve' ? 2 : 3,
      })),
    },
    width,
    height,
  );
}

const has = (series: readonly ErrorSeries[], wanted: ErrorSeries['kind']) =>
  series.some(({ kind, points }) => kind === wanted && points.length > 0);

/** 1, 2 or 5 times a power of ten, where a logarithmic axis ends well. */
function niceBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (value >= 5 * power ? 5 : value >= 2 * power ? 2 : 1);
}

function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * (value <= power ? 1 : value <= 2 * power ? 2 : value <= 5 * power ? 5 : 10);
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1e3 ? `${value / 1e3} k` : String(value);
}
