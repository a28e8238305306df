import { BenchError } from './errors.js';
import { headed } from './frame.js';
import { baseOption, chartWidth, ink, renderSvg, shortName } from './svg.js';

/** Groups of each layer, in the order of the network. */
export type Widths = Readonly<Record<string, number>>;

/**
 * An SVG of a network before and after pruning: a column for each layer, from input to output, as high as the share that stays, with
 * both numbers of groups written at it. (Bars as high as the numbers themselves would hide a convolution's 20 beside a dense 800.)
 *
 * @param options.title default 'The network before and after'. `width` default 900.
 * @throws BenchError if there are no layers, or `after` has more groups than `before` or lacks a layer.
 */
export function widthsChart(
  before: Widths,
  after: Widths,
  options: { title?: string; width?: number } = {},
): string {
  const { title = 'The network before and after', width = chartWidth } = options;
  const layers = Object.keys(before);
  if (layers.length === 0) throw new BenchError('widthsChart: no layers were given; pass at least one');
  for (const layer of layers) {
    const valid = after[layer]! >= 0 && after[layer]! <= before[layer]! && before[layer]! > 0;
    if (!valid) {
      throw new BenchError(
        `widthsChart: layer '${layer}' goes from ${before[layer]} to ${after[layer]} groups; give 0 ≤ after ≤ before for every layer`,
      );
    }
  }
  const column = { type: 'bar', silent: true, barWidth: '56%', barGap: '-100%' } as const;
  const small = layers.length > 8;
  const names = layers.map(shortName);
  const longest = Math.max(...names.map((name) => name.length));
  const slanted = 7.5 * longest > (width - 120) / layers.length;
  const head = headed(
    title,
    'Groups (channels, units) of each layer from input to output: all of them (grey), and those that stay (blue)',
    width,
  );
  const top = head.bottom + 14;

  return renderSvg(
    {
      ...baseOption,
      title: head.title,
      grid: { left: 70, right: 28, top, bottom: slanted ? 28 + 3.5 * longest : 44 },
      xAxis: {
        type: 'category',
        data: names,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: ink.soft } },
        axisLabel: { interval: 0, fontSize: small ? 11 : 13, color: ink.strong, rotate: slanted ? 30 : 0 },
      },
      yAxis: {
        type: 'value',
        name: 'groups kept (%)',
        nameLocation: 'middle',
        nameGap: 42,
        nameTextStyle: { fontSize: 13, color: ink.soft },
        min: 0,
        max: 100,
        axisLabel: { fontSize: 12, color: ink.soft },
        splitLine: { lineStyle: { color: ink.line } },
      },
      series: [
        {
          ...column,
          data: layers.map(() => 100),
          itemStyle: { color: ink.removed, borderRadius: [3, 3, 0, 0] },
          label: {
            show: true,
            position: 'top',
            fontSize: small ? 12 : 14,
            color: ink.soft,
            formatter: ({ dataIndex }: { dataIndex: number }) => String(before[layers[dataIndex]!]),
          },
        },
        {
          ...column,
          data: layers.map((layer) => {
            const value = (100 * after[layer]!) / before[layer]!;
            // Above a nearly full bar there is no room left under the grey number.
            const inside = value > 86;
            return {
              value,
              label: { position: inside ? 'insideTop' : 'top', color: inside ? ink.ground : ink.keptText },
            };
          }),
          itemStyle: { color: ink.kept, borderRadius: [3, 3, 0, 0] },
          z: 3,
          label: {
            show: true,
            fontSize: small ? 13 : 16,
            fontWeight: 600,
            formatter: ({ dataIndex }: { dataIndex: number }) => String(after[layers[dataIndex]!]),
          },
        },
      ],
    },
    width,
    top + 260,
  );
}
