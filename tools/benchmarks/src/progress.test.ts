import { expect, it } from 'vitest';
import { progress } from './progress.js';

it('says every five seconds how much is done and for how long there is work', () => {
  let now = 0;
  const lines: string[] = [];
  const tick = progress(
    400,
    (line) => lines.push(line),
    () => now,
  );
  for (let i = 0; i < 40; i++) {
    now += 1000;
    tick('LeNet-5', 10);
  }
  expect(lines).toHaveLength(8);
  expect(lines[0]).toBe('LeNet-5 · 13 % · about 35 s left');
  expect(lines.at(-1)).toBe('LeNet-5 · 100 % · about 0 s left');
});
