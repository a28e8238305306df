import { describe, expect, it } from 'vitest';
import { checkPath } from './source.js';

describe('checkPath', () => {
  it.each([
    ['weights.bin', 'weights.bin'],
    ['./group1-shard1of2.bin', 'group1-shard1of2.bin'],
    ['sub/folder/w.bin', 'sub/folder/w.bin'],
    ['sub//w.bin', 'sub/w.bin'],
    ['..w.bin', '..w.bin'],
    ['a%2e%2e/b', 'a%2e%2e/b'],
  ])('%s is %s', (path, expected) => {
    expect(checkPath(path, 'm')).toBe(expected);
  });

  it.each([
    ['', /is no name/],
    ['.', /is a folder/],
    ['../secret.bin', /leads out of its folder/],
    ['a/../../secret.bin', /leads out of its folder/],
    ['a/..', /leads out of its folder/],
    ['..\\secret.bin', /leads out of its folder/],
    ['/etc/passwd', /is an absolute path/],
    ['\\\\server\\share', /is an absolute path/],
    ['C:\\secret.bin', /is an address or a drive/],
    ['file:///etc/passwd', /is an address or a drive/],
    ['http://localhost/x', /is an address or a drive/],
    ['a\0.bin', /'a\\u\{0\}\.bin', which is no name/],
    ['x'.repeat(5000), /is too long for a path/],
  ])('refuses %.20s', (path, line) => {
    expect(() => checkPath(path, 'm.json')).toThrow(line);
    expect(() => checkPath(path, 'm.json')).toThrow(
      /^m\.json keeps weights in '.{0,200}only files in the model's own folder are read\.$/,
    );
  });
});
