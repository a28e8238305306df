import type { EChartsCoreOption } from 'echarts/core';
import { init } from 'echarts/dist/echarts.esm.min';

/** Ink of text and axes; all charts stand on white of their own, so they read alike on light and dark pages. */
export const ink = {
  ground: '#ffffff',
  strong: '#1f2328',
  soft: '#59636e',
  line: '#d1d9e0',
  /** Groups that go, and those that stay; their numbers above a bar. */
  removed: '#dfe5eb',
  kept: '#0969da',
  keptText: '#0550ae',
  /** Groups below a threshold, where they are as few as to want more than a shade. */
  drowned: '#9aa5b1',
} as const;

/** Names without spaces only: ECharts puts them into attributes without escaping quotes. */
export const fontFamily = 'system-ui, Helvetica, Arial, sans-serif';

/** Okabe and Ito's colours that are told apart by colour-blind readers and stand out on white, without black, which charts keep for one thing of their own. */
export const palette = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#7b61c4',
  '#8c6d31',
];

/** What charts share: white ground, no animation, one font. */
export const baseOption = {
  animation: false,
  backgroundColor: ink.ground,
  textStyle: { fontFamily, color: ink.strong },
} as const;

export function heading(text: string, subtext: string) {
  return {
    text,
    subtext,
    left: 24,
    top: 14,
    itemGap: 6,
    textStyle: { fontFamily, fontSize: 17, fontWeight: 600, color: ink.strong },
    subtextStyle: { fontFamily, fontSize: 13, color: ink.soft },
  } as const;
}

/** Of every chart that is not asked for another one. */
export const chartWidth = 900;

/** An axis of numbers, named along its middle. */
export const valueAxis = {
  type: 'value',
  nameLocation: 'middle',
  nameTextStyle: { fontSize: 13, color: ink.soft },
  axisLabel: { fontSize: 12, color: ink.soft },
} as const;

/** A layer's name cut to a length that leaves room for the picture; its end, often a number, tells layers apart. */
export function shortName(name: string): string {
  return name.length > 20 ? `${name.slice(0, 9)}…${name.slice(-10)}` : name;
}

/** Draws a chart without a browser. The same option gives the same text, byte for byte. */
export function renderSvg(option: EChartsCoreOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return asPicture(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/**
 * Takes off what ECharts adds for hovering: it means nothing in a file, and its names carry counts of everything that this
 * process has drawn, so that equal pictures would differ.
 */
function asPicture(svg: string): string {
  return svg
    .replace(/<style >.*?<\/style>\n/s, '')
    .replaceAll(/ (?:class="zr\d+-cls-\d+"|pointer-events="visible"|ecmeta_\w+="[^"]*")/g, '')
    .replaceAll(/\bzr\d+-c/g, 'clip');
}
