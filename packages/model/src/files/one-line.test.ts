import { describe, expect, it } from 'vitest';
import { listed, oneLine, quoted, shownPath, shownValue } from './one-line.js';

describe('oneLine', () => {
  it('is one line of what can be seen', () => {
    expect(oneLine(' a\n  b\r\nc\u001b[31m\u202e\u0000\u2028é😀 ')).toBe(
      'a b c\\u{1b}[31m\\u{202e}\\u{0}\\u{2028}é😀',
    );
  });

  it('is never longer than its limit', () => {
    expect(oneLine('x'.repeat(1e6))).toHaveLength(400);
    expect(oneLine('\u0000'.repeat(1e6), 50)).toHaveLength(50);
  });
});

it('names and values are short', () => {
  expect(quoted('n'.repeat(1000))).toHaveLength(82);
  expect(listed(Array(2000).fill('w.bin'))).toBe('w.bin, w.bin, w.bin and 1997 more');
  expect(listed(['a', 'b'])).toBe('a and b');
  expect(shownPath(`/long/${'x'.repeat(500)}/model.json`)).toMatch(/^….*\/model\.json$/);
  expect(shownValue({ a: [1] })).toBe('{"a":[1]}');
  expect(shownValue(Array(3000).fill(1))).toBe('a list of 3000');
  expect(shownValue(undefined)).toBe('not there');
});
