import { BenchError } from './errors.js';
import { frame } from './frame.js';
import { told } from './measure.js';
import { baseOption, ink, palette, renderSvg, shortName } from './svg.js';

/** What a chart of a training run needs to know of an epoch. */
export interface EpochRecord {
  epoch: number;
  /** Test error. An epoch without a finite one leaves a gap. */
  error: number;
  /** Groups whose noise leaves them in the network, by layer, in the order of the network. */
  kept: Readonly<Record<string, number>>;
  /** Groups that the layer started with; the same layers as `kept`. */
  total: Readonly<Record<string, number>>;
}

const dashes = ['solid', 'dashed', 'dotted'] as const;

/**
 * An SVG of a training run: the share of groups that each layer keeps (left axis) and the test error (right axis) by epoch.
 *
 * @param options.title default 'Groups kept and test error by epoch'. `width` default 900. `measure` says what the errors are, default 'error %'.
 * @throws BenchError if there are no epochs, or an epoch lacks a layer of the first one.
 */
export function trainingChart(
  epochs: readonly EpochRecord[],
  options: { title?: string; width?: number; measure?: string } = {},
): string {
  const { title = 'Groups kept and test error by epoch' } = options;
  const errors = told(options.measure);
  const first = epochs[0];
  const last = epochs.at(-1);
  if (!first || !last) throw new BenchError('trainingChart: no epochs were given; pass at least one');
  const layers = Object.keys(first.kept);
  const share = ({ epoch, kept, total }: EpochRecord, layer: string): number => {
    const value = (100 * kept[layer]!) / total[layer]!;
    if (Number.isFinite(value)) return value;
    throw new BenchError(
      `trainingChart: epoch ${epoch} says ${kept[layer]} of ${total[layer]} for layer '${layer}'; give numbers for every layer of the first epoch`,
    );
  };

  const labels: Record<string, string> = {
    [errorName]: `${errorName}  ${errors.shown(last.error)}`,
  };
  for (const layer of layers) {
    labels[layer] = `${shortName(layer)}  ${first.total[layer]} → ${last.kept[layer]}`;
  }

  const names = [errorName, ...layers];
  const { width, height, ...parts } = frame({
    title,
    subtitle: 'Share of the groups that a layer keeps (colours), and error on the test set (black)',
    names,
    labels: names.map((name) => labels[name]!),
    width: options.width,
    height: 420,
    // An axis (70), and the legend's lines.
    gap: 64,
    beside: 70 + 40,
    itemWidth: 26,
    // As many lines as there are have to fit beside the plot.
    itemGap: Math.max(Math.min(26, 276 / names.length) - 14, 2),
  });
  const axisName = { nameLocation: 'middle', nameTextStyle: { fontSize: 13, color: ink.soft } } as const;
  const axisLabel = { fontSize: 12, color: ink.soft };

  return renderSvg(
    {
      ...baseOption,
      ...parts,
      legend: { ...parts.legend, formatter: (name: string) => labels[name]! },
      xAxis: {
        type: 'value',
        name: 'epoch',
        nameGap: 32,
        ...axisName,
        // An axis needs two ends, even for a single epoch.
        min: Math.min(first.epoch, last.epoch - 1),
        max: last.epoch,
        minInterval: 1,
        axisLabel,
        splitLine: { show: false },
        axisLine: { lineStyle: { color: ink.soft } },
      },
      yAxis: [
        {
          type: 'value',
          name: 'groups kept (%)',
          nameGap: 42,
          ...axisName,
          min: 0,
          max: 100,
          axisLabel,
          splitLine: { lineStyle: { color: ink.line } },
        },
        {
          type: 'value',
          name: errors.isShare ? 'test error (%)' : errors.axis,
          nameGap: 42,
          ...axisName,
          nameRotate: 90,
          min: 0,
          alignTicks: true,
          axisLabel,
          splitLine: { show: false },
        },
      ],
      series: [
        ...layers.map((layer, i) => ({
          type: 'line',
          silent: true,
          name: layer,
          data: epochs.map((record) => [record.epoch, share(record, layer)]),
          symbol: epochs.length === 1 ? 'circle' : 'none',
          lineStyle: { width: 2.5, type: dashes[Math.floor(i / palette.length) % dashes.length] },
          itemStyle: { color: palette[i % palette.length] },
        })),
        {
          type: 'line',
          silent: true,
          name: errorName,
          yAxisIndex: 1,
          data: epochs.map(({ epoch, error }) => [epoch, Number.isFinite(error) ? error : null]),
          symbol: 'circle',
          symbolSize: 6,
          showSymbol: epochs.length <= 40,
          lineStyle: { width: 2 },
          itemStyle: { color: ink.strong },
          z: 3,
        },
      ],
    },
    width,
    height,
  );
}

const errorName = 'test error';
