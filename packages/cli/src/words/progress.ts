import type { WriteStream } from 'node:tty';
import type { EpochMetrics, TrainProgress } from '@sbp/train';
import cliProgress from 'cli-progress';
import { count, duration } from './words.js';

/** Tells of a training run while it is under way. */
export interface TrainReporter {
  progress(progress: TrainProgress): void;
  epoch(metrics: EpochMetrics): void;
  /** Leaves the terminal as it was. */
  stop(): void;
}

/** Seconds between two plain lines. */
const LINE_SECONDS = 10;

/**
 * A live bar for each epoch on a terminal, which stays with the epoch's final figures; elsewhere plain lines, one an epoch and one about
 * every ten seconds.
 *
 * @param history epochs done before, when resuming: what is known of error, widths and times
 * @param options `total`: groups of each layer; `measure`: what the figure called an error is, in words with its unit
 */
export function trainReporter(
  stream: NodeJS.WriteStream,
  epochs: number,
  history: readonly EpochMetrics[],
  { total, measure = 'error %' }: { total: Record<string, number>; measure?: string },
): TrainReporter {
  const known = [...history];
  const live = (progress: TrainProgress) => {
    const last = known.at(-1);
    return [
      `${count(progress.imagesPerSecond)} images/s`,
      `${duration(secondsLeft(progress, known))} left`,
      told(measure, last?.error),
      ...widthsOf(last?.kept ?? total),
      ...lossAndKl(progress),
    ].join('  ');
  };
  const done = (metrics: EpochMetrics) =>
    [
      `${count(metrics.imagesPerSecond)} images/s`,
      `took ${duration(metrics.seconds)}`,
      told(measure, metrics.error),
      ...Object.entries(metrics.metrics ?? {}).map(([name, value]) => `${name} ${value.toPrecision(4)}`),
      ...widthsOf(metrics.kept),
      ...lossAndKl(metrics),
    ].join('  ');
  const reporter = stream.isTTY ? bars(stream as WriteStream, epochs) : lines(stream, epochs);
  return {
    progress: (progress) =>
      reporter.live(progress.epoch, progress.examples / progress.of, () => live(progress)),
    epoch: (metrics) => {
      known.push(metrics);
      reporter.done(metrics.epoch, done(metrics));
    },
    stop: () => reporter.stop(),
  };
}

/** A figure with what it is: `error 1.23 %`. */
export function told(measure: string, value: number | undefined): string {
  const isShare = measure.endsWith(' %');
  const shown = value === undefined ? '–' : isShare ? value.toFixed(2) : value.toPrecision(4);
  return isShare ? `${measure.slice(0, -2)} ${shown} %` : `${measure} ${shown}`;
}

/** Groups of each layer as the paper writes them: 3-18-284-283. */
export function widths(groups: Readonly<Record<string, number>>): string {
  return Object.values(groups).join('-');
}

/** Nothing where there is no noise. */
const widthsOf = (groups: Readonly<Record<string, number>>) =>
  Object.keys(groups).length > 0 ? [widths(groups)] : [];

const lossAndKl = ({ loss, kl }: { loss: number; kl: number }) => [
  `loss ${loss.toFixed(4)}`,
  `KL ${kl.toFixed(4)}`,
];

/** At the present rate, with evaluations as long as they have been. */
function secondsLeft(
  { epoch, epochs, examples, of, imagesPerSecond }: TrainProgress,
  known: readonly EpochMetrics[],
): number {
  const training = ((epochs - epoch) * of + of - examples) / imagesPerSecond;
  const evaluations = known.map((metrics) => metrics.seconds - of / metrics.imagesPerSecond);
  const evaluation = evaluations.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, known.length);
  return training + (epochs - epoch + 1) * Math.max(0, evaluation);
}

interface Display {
  live(epoch: number, share: number, text: () => string): void;
  done(epoch: number, text: string): void;
  stop(): void;
}

function bars(stream: WriteStream, epochs: number): Display {
  const { Format, Presets, SingleBar } = cliProgress;
  let bar: cliProgress.SingleBar | undefined;
  const start = (epoch: number) => {
    bar = new SingleBar(
      {
        stream,
        hideCursor: true,
        // room for the figures on a narrow terminal
        barsize: stream.columns >= 120 ? 20 : 8,
        format: (options, { progress }, { text }) =>
          `epoch ${epoch}/${epochs} ${Format.BarFormat(progress, options)} ${text}`,
      },
      Presets.shades_classic,
    );
    bar.start(1, 0, { text: '' });
    return bar;
  };
  return {
    live: (epoch, share, text) => (bar ?? start(epoch)).update(share, { text: text() }),
    done: (epoch, text) => {
      (bar ?? start(epoch)).update(1, { text });
      bar?.stop();
      bar = undefined;
    },
    stop: () => {
      bar?.stop();
      bar = undefined;
    },
  };
}

function lines(stream: NodeJS.WriteStream, epochs: number): Display {
  let last = performance.now();
  const write = (epoch: number, share: number, text: string) => {
    last = performance.now();
    stream.write(`epoch ${epoch}/${epochs} ${String(Math.floor(100 * share)).padStart(3)} %  ${text}\n`);
  };
  return {
    live: (epoch, share, text) => {
      if (performance.now() - last >= 1000 * LINE_SECONDS) write(epoch, share, text());
    },
    done: (epoch, text) => write(epoch, 1, text),
    stop: () => {},
  };
}
