import { describe, expect, it } from 'vitest';
import { parseJson } from './strict-json.js';

const parse = (text: string) => parseJson(new TextEncoder().encode(text), 'm.json');

describe('parseJson', () => {
  it('reads JSON, with or without a byte order mark', () => {
    expect(parse('{"a": [1, null]}')).toEqual({ a: [1, null] });
    expect(parse('\uFEFF{"a": 1}')).toEqual({ a: 1 });
  });

  it.each([
    ['', /^m\.json is not JSON; expected a tfjs layers model/],
    ['{"a": \u0007}', /^m\.json is not JSON; [^\p{Cc}]*$/u],
    [`${'['.repeat(401)}${']'.repeat(401)}`, /is nested more than 400 levels deep/],
    [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, /is nested more than 400 levels deep/],
    [`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`, /is nested more than 400 levels deep/],
    ['['.repeat(200_000), /is not JSON/],
    ['{"a": {"__proto__": {"b": 1}}}', /has a field called '__proto__'/],
    ['[{"constructor": 1}]', /has a field called 'constructor'/],
  ])('refuses %.20s', (text, line) => {
    expect(() => parse(text)).toThrow(line);
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'ModelFileError' }));
  });

  it('takes 400 levels', () => {
    expect(parse(`${'['.repeat(400)}${']'.repeat(400)}`)).toBeInstanceOf(Array);
  });
});
