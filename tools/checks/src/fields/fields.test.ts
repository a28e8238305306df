import { describe, expect, it } from 'vitest';
import { fieldRows, type Schema } from './field-table.js';
import { documented, readmeWithFields } from './readmes.js';

describe.each(documented)("$name's README", (one) => {
  it("has each of its config's fields, as the schema describes it", () => {
    const { is, should } = readmeWithFields(one);
    expect(is, 'npm run fields writes it').toBe(should);
  });

  it.each(fieldRows(one.schema, one.elsewhere))('$field is described in a sentence', ({ meaning }) => {
    expect(meaning).toMatch(/^\S.{7,300}\.$/);
    expect(meaning).not.toContain('|');
  });
});

describe('fieldRows', () => {
  const leaf = (description: string, data?: unknown): Schema => ({
    description,
    def: { type: data === undefined ? 'optional' : 'default' },
    safeParse: () => ({ success: true, data }),
  });
  const object = (shape: Record<string, Schema>): Schema => ({ ...leaf(''), def: { type: 'object' }, shape });
  const always = (inner: Schema): Schema => ({
    ...leaf('Inner.'),
    def: { type: 'prefault', innerType: inner },
  });

  it('goes into objects that are always there, but for those told elsewhere', () => {
    const inner = object({ b: leaf('B.', [1]) });
    const outer = object({ a: leaf('A.', 'x'), c: always(inner), d: leaf('D.') });
    const a = { field: 'a', default: 'x', meaning: 'A.' };
    const c = { field: 'c', default: '', meaning: 'Inner.' };
    const d = { field: 'd', default: '', meaning: 'D.' };
    expect(fieldRows(outer)).toEqual([a, c, { field: 'c.b', default: '[1]', meaning: 'B.' }, d]);
    expect(fieldRows({ ...leaf(''), def: { type: 'pipe', out: outer } }, [inner])).toEqual([a, c, d]);
  });
});
