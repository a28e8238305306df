import type { InstallProgress } from '@sbp/engine';
import cliProgress from 'cli-progress';
import { size } from './words.js';

/** Of an installation or of a download: how far a step is, in bytes or in what `amount` puts into words. */
export interface StepProgress extends Omit<InstallProgress, 'step'> {
  step: string;
  amount?: (value: number) => string;
}

/**
 * Tells of an installation or a download: a line for each step, and on a terminal a bar for those that say how far they are.
 */
export function installReporter(stream: NodeJS.WriteStream) {
  let bar: cliProgress.SingleBar | undefined;
  let said = '';
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    progress({ step, message, done, total, amount = size }: StepProgress): void {
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
          `${Format.BarFormat(progress, options)} ${amount(value)} of ${amount(total)}`;
        bar = new SingleBar({ stream, hideCursor: true, format }, Presets.shades_classic);
        bar.start(total, done);
      }
      bar.setTotal(total);
      bar.update(done);
    },
    stop,
  };
}
