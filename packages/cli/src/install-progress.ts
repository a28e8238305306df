import type { InstallProgress } from '@sbp/engine';
import cliProgress from 'cli-progress';
import { size } from './words.js';

/**
 * Tells of an installation: a line for each step, and on a terminal a bar of bytes for those that move bytes.
 */
export function installReporter(stream: NodeJS.WriteStream) {
  let bar: cliProgress.SingleBar | undefined;
  let said = '';
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    progress({ step, message, done, total }: InstallProgress): void {
      const line = `${step.padEnd(8)}  ${message}`;
      if (said !== line) {
        stop();
        said = line;
        stream.write(`${line}\n`);
      }
      if (!stream.isTTY || done === undefined || !total) return;
      if (!bar) {
        const { Format, Presets, SingleBar } = cliProgress;
        const format: cliProgress.Options['format'] = (options, { progress, value, total }) =>
          `${Format.BarFormat(progress, options)} ${size(value)} of ${size(total)}`;
        bar = new SingleBar({ stream, hideCursor: true, format }, Presets.shades_classic);
        bar.start(total, done);
      }
      bar.setTotal(total);
      bar.update(done);
    },
    stop,
  };
}
