import { format } from 'echarts/dist/echarts.esm.min';
import { BenchError } from './errors.js';
import { pageStyle } from './page-style.js';
import { type Column, writtenColumns } from './table.js';

/** A piece of a page, from plain values: nothing in it is read as HTML. */
export type Block =
  | { kind: 'text'; text: string; strong?: boolean }
  /** Names and what they stand for. */
  | { kind: 'facts'; facts: readonly (readonly [name: string, value: string])[] }
  | { kind: 'table'; rows: readonly object[]; columns: readonly Column[] }
  /** An SVG of this package's, drawn for screens and again for phones; `title` is told to those who don't see it. */
  | { kind: 'chart'; title: string; draw(width: number): string }
  /** Small PNG files, drawn in them and at least so large that their pixels are seen; each caption stands under its picture. */
  | { kind: 'pictures'; pictures: readonly { png: Uint8Array; caption: string }[] }
  /** Shown when it is asked for. */
  | { kind: 'code'; title: string; text: string };

export interface Section {
  title: string;
  blocks: readonly Block[];
}

/** Of what is drawn for screens and for phones. */
const widths = { wide: 900, narrow: 400 } as const;

/**
 * One HTML page that needs nothing but itself: pictures are inline SVG, the style is in it, and it has no script and no address to fetch. It suits phones
 * and follows the reader's choice of light or dark. The same content gives the same page, byte for byte.
 *
 * @throws BenchError if there is no section
 */
export function page(title: string, lead: string, sections: readonly Section[]): string {
  if (sections.length === 0) throw new BenchError('page: no sections were given; pass at least one');
  const anchors = sections.map((section, i) => ({ ...section, id: `part-${i + 1}` }));
  const contents =
    sections.length === 1
      ? ''
      : `<nav>${anchors.map(({ id, title: name }) => `<a href="#${id}">${text(name)}</a>`).join(' ')}</nav>\n`;
  const body = anchors.map(({ id, title: name, blocks }) =>
    [
      `<section id="${id}">`,
      `<h2>${text(name)}</h2>`,
      ...blocks.map((block, i) => html(block, `${id}-${i}`)),
      '</section>',
    ].join('\n'),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(title)}</title>
<style>
${pageStyle}
</style>
</head>
<body>
<header>
<h1>${text(title)}</h1>
<p>${text(lead)}</p>
${contents}</header>
<main>
${body.join('\n')}
</main>
</body>
</html>
`;
}

const text = (raw: string) => format.encodeHTML(raw);

/** @param id of the block, different from every other one's */
function html(block: Block, id: string): string {
  switch (block.kind) {
    case 'text':
      return `<p${block.strong ? ' class="strong"' : ''}>${text(block.text)}</p>`;
    case 'facts':
      return `<dl>\n${block.facts.map(([name, value]) => `<div><dt>${text(name)}</dt><dd>${text(value)}</dd></div>`).join('\n')}\n</dl>`;
    case 'table':
      return tableOf(block.rows, block.columns);
    case 'chart':
      return chartOf(block, id);
    case 'pictures':
      return `<div class="pictures">\n${block.pictures.map(pictureOf).join('\n')}\n</div>`;
    case 'code':
      return `<details><summary>${text(block.title)}</summary><pre>${text(block.text)}</pre></details>`;
  }
}

function pictureOf({ png, caption }: { png: Uint8Array; caption: string }): string {
  // in pieces: so many arguments overflow the stack
  let binary = '';
  for (let at = 0; at < png.length; at += 8192) binary += String.fromCharCode(...png.subarray(at, at + 8192));
  return `<figure><img src="data:image/png;base64,${btoa(binary)}" alt="${text(caption)}"/><figcaption>${text(caption)}</figcaption></figure>`;
}

function tableOf(rows: readonly object[], columns: readonly Column[]): string {
  const written = writtenColumns(rows as readonly Record<string, unknown>[], columns);
  const cell = (tag: string, align: string, content: string) =>
    `<${tag}${align === 'right' ? ' class="number"' : ''}>${align === 'right' ? number(content) : text(content)}</${tag.split(' ')[0]}>`;
  const line = (cells: string[]) => `<tr>${cells.join('')}</tr>`;
  const head = line(
    written.map(({ title, align }) => cell('th scope="col"', align, title.replaceAll('-', unbroken))),
  );
  const body = rows.map((_, i) =>
    line(
      written.map(({ align, cells }, column) =>
        cell(column === 0 ? 'th scope="row"' : 'td', align, cells[i]!),
      ),
    ),
  );
  // What is wider than the page is moved by itself, also by keys.
  return `<div class="scroll" tabindex="0">\n<table>\n<thead>${head}</thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>\n</div>`;
}

/** A hyphen at which no line ends: headings are narrow. */
const unbroken = '\u2011';

/** A spread's quartiles go under its median: tables have many of them. */
function number(content: string): string {
  const [, median, quartiles] = /^(\S+) (\(.+\))$/.exec(content) ?? [];
  return median === undefined ? text(content) : `${text(median)} <small>${text(quartiles!)}</small>`;
}

function chartOf({ title, draw }: Extract<Block, { kind: 'chart' }>, id: string): string {
  const pictures = Object.entries(widths).map(([name, width]) =>
    inline(draw(width), `${id}-${name}-`, `class="${name}" role="img" aria-label="${text(title)}"`),
  );
  return `<figure>\n${pictures.join('\n')}\n</figure>`;
}

/** An SVG as a part of a page: names in it stay apart from those of other pictures, and it is as wide as there is room. */
function inline(svg: string, prefix: string, attributes: string): string {
  return svg
    .trim()
    .replace(/^<svg width="\d+" height="\d+"/, `<svg ${attributes}`)
    .replaceAll(/ (?:xmlns(?::xlink)?|version|baseProfile)="[^"]*"/g, '')
    .replaceAll('id="clip', `id="${prefix}clip`)
    .replaceAll('url(#clip', `url(#${prefix}clip`);
}
