import { chartWidth, fontFamily, heading, ink } from './svg.js';

/** Where a chart has its heading, plot and legend, as options of ECharts. */
export interface Frame {
  width: number;
  height: number;
  title: object;
  grid: { left: number; right: number; top: number; bottom: number };
  legend: object;
}

interface FrameOptions {
  title: string;
  subtitle: string;
  /** Of the series in the legend, from top to bottom. */
  names: readonly string[];
  /** What the legend writes of them. Default: the names. */
  labels?: readonly string[];
  /** Default: {@link chartWidth}. Narrower than 640, as on a phone, the legend stands under the plot. */
  width?: number | undefined;
  /** With the legend beside the plot; under it, the chart is as high as it takes. */
  height: number;
  /** From plot to legend, or to the edge: room for an axis where one is on the right. */
  gap: number;
  /** Right of the plot for all of the legend but its text. */
  beside: number;
  itemWidth: number;
  /** Between the legend's lines where it stands beside the plot. Default: ECharts'. */
  itemGap?: number;
}

export function frame({ width = chartWidth, ...options }: FrameOptions): Frame {
  const { names, itemWidth } = options;
  const legend = {
    orient: 'vertical',
    selectedMode: false,
    itemWidth,
    itemHeight: 10,
    textStyle: { fontFamily, fontSize: 13, color: ink.strong },
    data: [...names],
  } as const;
  return width < NARROW ? legendUnder(options, legend, width) : legendBeside(options, legend, width);
}

const NARROW = 640;

function legendBeside(
  { title, subtitle, height, gap, beside, itemGap, names, labels = names }: FrameOptions,
  legend: object,
  width: number,
): Frame {
  const longest = Math.max(...labels.map((label) => label.length));
  // A character takes about 7.5.
  const head = headed(title, subtitle, width);
  const grid = { left: 70, right: beside + Math.ceil(7.5 * longest), top: head.bottom, bottom: 58 };
  const place = { left: width - grid.right + gap, top: grid.top - 6 };
  const gaps = itemGap === undefined ? {} : { itemGap };
  return { width, height, title: head.title, grid, legend: { ...legend, ...place, ...gaps } };
}

function legendUnder(
  { title, subtitle, gap, itemWidth, names }: FrameOptions,
  legend: object,
  width: number,
): Frame {
  const head = headed(title, subtitle, width);
  const lines = 22 * names.length;
  const grid = { left: 60, right: gap, top: head.bottom, bottom: 58 + lines + 10 };
  const height = grid.top + 240 + grid.bottom;
  const textStyle = {
    fontFamily,
    fontSize: 13,
    color: ink.strong,
    width: width - 2 * MARGIN - itemWidth - 10,
    overflow: 'truncate',
  };
  const place = { left: MARGIN, top: height - lines - 10, itemGap: 8, textStyle };
  return { width, height, title: head.title, grid, legend: { ...legend, ...place } };
}

const MARGIN = 14;

/** A heading, in as many lines as it takes where the chart is narrow, and where what is under it can begin. */
export function headed(title: string, subtitle: string, width: number): { title: object; bottom: number } {
  if (width >= NARROW) return { title: heading(title, subtitle), bottom: 86 };
  const room = width - 2 * MARGIN;
  // Characters of 17 bold and of 13 take at most about 10.5 and 7.2, by font.
  const [titles, subtitles] = [wrapped(title, room / 10.5), wrapped(subtitle, room / 7.2)];
  const { textStyle, subtextStyle, ...rest } = heading(titles.join('\n'), subtitles.join('\n'));
  const [line, subline] = [22, 18];
  return {
    title: {
      ...rest,
      left: MARGIN,
      textStyle: { ...textStyle, lineHeight: line },
      subtextStyle: { ...subtextStyle, lineHeight: subline },
    },
    bottom: rest.top + titles.length * line + rest.itemGap + subtitles.length * subline + 28,
  };
}

/** Lines of at most so many characters where words allow it. */
function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
