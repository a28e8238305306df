import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../in-browser.js';
import { filesOf, refusal, smallNet } from '../../testing/saved.js';

beforeAll(() => tf.setBackend('cpu'));

/** What a browser gives for a file, in a folder or alone. */
const dropped = (path: string, content: Uint8Array) => {
  const name = path.split('/').at(-1)!;
  const file = new File([content as Uint8Array<ArrayBuffer>], name);
  return Object.assign(file, { webkitRelativePath: path === name ? '' : path });
};
const sound = () => filesOf(smallNet());
const named = async (names: Record<string, string>) => {
  const files = await sound();
  return Object.entries(names).map(([path, name]) => dropped(path, files[name]!));
};

describe('loadModel from files that were dropped', () => {
  it.each([
    ['alone', { 'weights.bin': 'weights.bin', 'model.json': 'model.json' }],
    ['with another name', { 'weights.bin': 'weights.bin', 'net.json': 'model.json' }],
    ['with their folder', { 'my/net/model.json': 'model.json', 'my/net/weights.bin': 'weights.bin' }],
  ])('finds them %s', async (_, names) => {
    expect((await loadModel(await named(names))).countParams()).toBe(15);
  });

  it('takes what looks like a FileList', async () => {
    const files = await named({ 'model.json': 'model.json', 'weights.bin': 'weights.bin' });
    expect((await loadModel({ length: 2, 0: files[0]!, 1: files[1]! })).countParams()).toBe(15);
  });

  it('does not take weights from another folder', async () => {
    const files = await named({ 'my/net/model.json': 'model.json', 'my/weights.bin': 'weights.bin' });
    expect((await refusal(loadModel(files))).message).toMatch(/weights\.bin is missing; model\.json keeps/);
  });

  it('says what is missing', async () => {
    expect((await refusal(loadModel([]))).message).toMatch(
      /there are no files; drop model\.json with its weight files/,
    );
    expect((await refusal(loadModel(await named({ 'model.json': 'model.json' })))).message).toMatch(
      /^weights\.bin is missing/,
    );
    const weights = await named({ 'weights.bin': 'weights.bin', 'w.bin': 'weights.bin' });
    expect((await refusal(loadModel(weights))).message).toMatch(
      /^what was dropped has no model\.json and no/,
    );
    expect((await refusal(loadModel(7 as never))).message).toMatch(
      /loadModel was given 7; expected a path, a URL/,
    );
  });
});
