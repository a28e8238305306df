import { ink } from './svg.js';

/** What charts are drawn with, and what it becomes on dark ground; '#54555a' is the axes of ECharts. */
const darkInk: Readonly<Record<string, string>> = {
  [ink.ground]: '#161b22',
  [ink.strong]: '#e6edf3',
  [ink.soft]: '#9198a1',
  '#54555a': '#9198a1',
  [ink.line]: '#30363d',
  [ink.removed]: '#2d333b',
  [ink.drowned]: '#636c76',
  [ink.kept]: '#4493f8',
  [ink.keptText]: '#79c0ff',
  // of the palette, those that are too dark
  '#0072b2': '#3d9bdc',
  '#56b4e9': '#9ad4f5',
  '#7b61c4': '#a591e0',
  '#8c6d31': '#b8954e',
};

const darkCharts = Object.entries(darkInk)
  .flatMap(([light, dark]) => [
    `svg [fill="${light}"] { fill: ${dark}; }`,
    `svg [stroke="${light}"] { stroke: ${dark}; }`,
  ])
  .map((rule) => `  ${rule}`)
  .join('\n');

/** Of a page of figures and charts, light and dark, on wide and narrow screens and on paper. */
export const pageStyle = `:root {
  color-scheme: light dark;
  --ground: #f6f8fa; --card: ${ink.ground}; --strong: ${ink.strong}; --soft: ${ink.soft}; --line: ${ink.line}; --link: ${ink.kept};
  --warn: #fff8c5; --warn-line: #d4a72c; --shade: rgb(31 35 40 / 22%);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--strong); font: 16px/1.5 system-ui, Helvetica, Arial, sans-serif; }
header, section { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
h1 { margin: 0; font-size: 30px; line-height: 1.25; overflow-wrap: anywhere; }
header p { margin: 6px 0 0; color: var(--soft); }
nav { margin-top: 16px; display: flex; flex-wrap: wrap; gap: 6px 18px; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
section { padding-bottom: 24px; }
h2 { margin: 24px 0 14px; padding-bottom: 8px; border-bottom: 1px solid var(--line); font-size: 22px; overflow-wrap: anywhere; }
p { margin: 12px 0; color: var(--soft); font-size: 14px; overflow-wrap: anywhere; }
p.strong { padding: 10px 14px; border: 1px solid var(--warn-line); border-radius: 8px; background: var(--warn); color: var(--strong); font-weight: 600; }
dl, figure, .scroll, details { margin: 14px 0; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 12px 24px; padding: 16px 18px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; overflow-wrap: anywhere; }
figure { padding: 4px; overflow: hidden; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 12px; }
.pictures figure { margin: 0; padding: 8px; }
.pictures img { display: block; width: 100%; image-rendering: pixelated; }
figcaption { margin-top: 6px; color: var(--soft); font-size: 12px; line-height: 1.35; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg.narrow { display: none; }
.scroll {
  overflow-x: auto;
  /* a shadow at each side where there is more */
  background:
    linear-gradient(to right, var(--card) 30%, transparent) left / 40px 100% local,
    linear-gradient(to left, var(--card) 30%, transparent) right / 40px 100% local,
    linear-gradient(to right, var(--shade), transparent) left / 14px 100% scroll,
    linear-gradient(to left, var(--shade), transparent) right / 14px 100% scroll,
    var(--card);
  background-repeat: no-repeat;
}
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 9px 12px; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--soft); font-weight: 500; vertical-align: bottom; white-space: normal; }
tbody th { min-width: 10em; font-weight: 600; white-space: normal; }
td small { display: block; color: var(--soft); font-size: 12px; }
th.number, td.number { text-align: right; }
summary { padding: 10px 16px; cursor: pointer; }
pre { margin: 0; padding: 0 16px 14px; overflow-x: auto; font-size: 13px; line-height: 1.45; }
@media (max-width: 640px) {
  header, section { padding-left: 12px; padding-right: 12px; }
  header { padding-top: 24px; }
  h1 { font-size: 24px; }
  dl { grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); padding: 14px; }
  th, td { padding: 8px 10px; }
  svg.wide { display: none; }
  svg.narrow { display: block; }
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1117; --card: #161b22; --strong: #e6edf3; --soft: #9198a1; --line: #30363d; --link: #4493f8;
    --warn: #272115; --warn-line: #9e6a03; --shade: rgb(0 0 0 / 70%);
  }
${darkCharts}
}
@media print { body { background: none; } section { break-inside: auto; } figure, tr { break-inside: avoid; } }`;
