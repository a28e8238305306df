import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { installReporter } from './install-progress.js';

function output(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100, cursorTo() {}, clearLine() {} });
  const reporter = installReporter(stream as unknown as NodeJS.WriteStream);
  reporter.progress({ step: 'plan', message: 'TensorFlow 2.21.0' });
  for (const done of [0, 100e6, 274e6])
    reporter.progress({ step: 'download', message: 'the wheel', done, total: 274e6 });
  reporter.progress({ step: 'compile', message: 'the addon' });
  reporter.stop();
  return String(stream.read());
}

it('says each step once where there is no terminal', () => {
  expect(output(false)).toBe('plan      TensorFlow 2.21.0\ndownload  the wheel\ncompile   the addon\n');
});

it('draws a bar with sizes on a terminal, between the lines', () => {
  expect(output(true)).toMatch(
    /download {2}the wheel\n[\s\S]* 0 bytes of 274 MB[\s\S]* 274 MB of 274 MB[\s\S]*\ncompile {3}the addon\n$/,
  );
});
