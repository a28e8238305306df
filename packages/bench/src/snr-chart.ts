import { BenchError } from './errors.js';
import { headed } from './frame.js';
import { baseOption, chartWidth, fontFamily, ink, renderSvg, shortName, valueAxis } from './svg.js';

/** Signal-to-noise ratios of one layer's groups. */
export interface LayerSnr {
  name: string;
  /** E θ / √Var θ of each group. */
  snr: ArrayLike<number>;
  /** Groups whose ratio is not above it go. */
  threshold: number;
}

/** Bins in a decade. */
const BINS = 10;
/** Log10 of the ratios that are told apart; what is beyond is counted at the ends. */
const [LEAST, MOST] = [-3, 5];

/**
 * An SVG of the signal-to-noise ratios of a network's groups: for each layer how many there are of each size, on one logarithmic axis for all, those
 * above the threshold, which is dashed, in blue and the others in grey. The threshold is an edge between two bins.
 *
 * @param options.title default 'Signal-to-noise ratios of the groups'. `width` default 900; a column of layers below 640.
 * @throws BenchError if there are no layers, or one has no groups, a ratio that is not a number, or a negative threshold
 */
export function snrChart(
  layers: readonly LayerSnr[],
  options: { title?: string; width?: number } = {},
): string {
  const { title = 'Signal-to-noise ratios of the groups', width = chartWidth } = options;
  check(layers);
  const head = headed(
    title,
    'Groups of each layer by E θ / √Var θ: those above the threshold (dashed) are blue, the others drown in their noise',
    width,
  );
  const panels = layers.map(histogram);
  const edges = panels.flatMap(({ threshold, removed, kept }) =>
    [...removed, ...kept].map(([x]) => x).concat(threshold ?? []),
  );
  const [min, max] = [Math.min(...edges) - 0.05, Math.max(...edges) + 0.05];
  const columns = Math.min(layers.length, width < 640 ? 1 : layers.length > 4 ? 3 : 2);
  const places = layers.map((_, i) => place(i, columns, layers.length, width, head.bottom));
  const small = { fontFamily, fontSize: 12, color: ink.soft } as const;
  return renderSvg(
    {
      ...baseOption,
      title: [
        head.title,
        ...layers.map(({ name, threshold }, i) => ({
          text: `${shortName(name)}  ${panels[i]!.above} of ${panels[i]!.groups} above ${threshold}`,
          left: places[i]!.left - 5,
          top: places[i]!.top - 31,
          textStyle: { fontFamily, fontSize: 13, fontWeight: 600, color: ink.strong },
        })),
      ],
      grid: places.map(({ left, top, width: wide, height }) => ({ left, top, width: wide, height })),
      xAxis: places.map(({ lowest }, i) => ({
        ...valueAxis,
        gridIndex: i,
        name: lowest ? 'signal-to-noise ratio' : '',
        nameGap: 28,
        min,
        max,
        splitLine: { show: false },
        axisLine: { onZero: false, lineStyle: { color: ink.soft } },
        axisTick: { show: true, customValues: ticks(min, max) },
        axisLabel: {
          ...small,
          customValues: ticks(min, max),
          formatter: (value: number) => String(Number((10 ** value).toPrecision(1))),
        },
      })),
      yAxis: places.map((_, i) => ({
        ...valueAxis,
        gridIndex: i,
        min: 0,
        minInterval: 1,
        splitNumber: 2,
        axisLabel: small,
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { lineStyle: { color: ink.line } },
      })),
      series: panels.flatMap(({ removed, kept, threshold }, i) => [
        { ...bars(removed, ink.drowned, i), ...(threshold !== undefined && marked(threshold)) },
        bars(kept, ink.kept, i),
      ]),
    },
    width,
    places.at(-1)!.top + PLOT + 54,
  );
}

function check(layers: readonly LayerSnr[]): void {
  if (layers.length === 0) throw new BenchError('snrChart: no layers were given; pass at least one');
  for (const { name, snr, threshold } of layers) {
    if (snr.length === 0) throw new BenchError(`snrChart: layer '${name}' has no groups; give at least one`);
    const stray = Array.from(snr).find((value) => !(value >= 0));
    if (stray !== undefined)
      throw new BenchError(`snrChart: layer '${name}' has a ratio of ${stray}; give numbers of at least 0`);
    if (!(threshold >= 0))
      throw new BenchError(
        `snrChart: layer '${name}' has a threshold of ${threshold}; give a number of at least 0`,
      );
  }
}

type Point = [x: number, count: number];

/** The outlines of the bins on either side of the threshold, in log10. */
function histogram({ snr, threshold }: LayerSnr) {
  const log = (value: number) => Math.min(MOST, Math.max(LEAST, Math.log10(value)));
  // With a threshold of 0 every group is above it, and there is nothing to mark.
  const marked = threshold > 0 ? log(threshold) : undefined;
  const anchor = marked ?? 0;
  const counts = new Map<number, number>();
  for (const value of Array.from(snr)) {
    const bin = Math.floor((log(value) - anchor) * BINS);
    // To the bit on the side where pruning has it.
    const own = marked === undefined ? bin : value > threshold ? Math.max(bin, 0) : Math.min(bin, -1);
    counts.set(own, (counts.get(own) ?? 0) + 1);
  }
  const bins = [...counts.keys()].sort((a, b) => a - b);
  const below = bins.filter((bin) => marked !== undefined && bin < 0);
  const outline = (own: readonly number[]): Point[] => {
    const [from, to] = [own[0], own.at(-1)];
    if (from === undefined || to === undefined) return [];
    const all = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const edge = (bin: number) => anchor + bin / BINS;
    return [
      ...all.map((bin): Point => [edge(bin), counts.get(bin) ?? 0]),
      [edge(to + 1), counts.get(to) ?? 0],
    ];
  };
  const above = bins.filter((bin) => !below.includes(bin));
  return {
    threshold: marked,
    groups: snr.length,
    above: above.reduce((sum, bin) => sum + counts.get(bin)!, 0),
    removed: outline(below),
    kept: outline(above),
  };
}

const PLOT = 120;
const PANEL = PLOT + 74;

/** Of the i-th layer's plot, counted by rows. */
function place(i: number, columns: number, layers: number, width: number, top: number) {
  const [left, right] = [58, 22];
  const column = width / columns;
  return {
    left: (i % columns) * column + left,
    top: top + 24 + Math.floor(i / columns) * PANEL,
    width: column - left - right,
    height: PLOT,
    lowest: i + columns >= layers,
  };
}

const bars = (outline: readonly Point[], colour: string, i: number) => ({
  type: 'line',
  silent: true,
  step: 'end',
  symbol: 'none',
  xAxisIndex: i,
  yAxisIndex: i,
  data: outline,
  lineStyle: { width: 0 },
  itemStyle: { color: colour },
  areaStyle: { color: colour, opacity: 1 },
});

const marked = (at: number) => ({
  markLine: {
    silent: true,
    symbol: 'none',
    // ECharts would round it to two decimals, and draw it beside the edge that it is
    precision: 10,
    label: { show: false },
    lineStyle: { color: ink.strong, type: 'dashed', width: 1.5 },
    data: [{ xAxis: at }],
  },
});

/** Powers of ten, and three times them where there are few. */
function ticks(min: number, max: number): number[] {
  const steps = max - min > 3 ? [0] : [0, Math.log10(3)];
  const decades = Array.from({ length: MOST - LEAST + 2 }, (_, i) => LEAST + i);
  return decades.flatMap((decade) => steps.map((step) => decade + step)).filter((x) => x >= min && x <= max);
}
