import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect } from 'vitest';

/** Every piece of text in the picture, in the order of drawing. */
export function textsOf(svg: string): string[] {
  expect(XMLValidator.validate(svg)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    parseTagValue: false,
    trimValues: false,
    isArray: (tag) => tag === 'text',
  });
  const root = parser.parse(svg) as { svg: { text: { '#text': string }[] } };
  return root.svg.text.map((text) => String(text['#text'] ?? text));
}

/** Corners of the first plain line of this colour. */
export function lineOf(svg: string, colour: string): [number, number][] {
  const path = new RegExp(`<path d="M([^"AZ]+)" fill="none"[^>]* stroke="${colour}"`).exec(svg)![1]!;
  return path.split('L').map((point) => point.split(' ').map(Number) as [number, number]);
}
