import { type Dataset, randomLabels, subset } from '@sbp/data';
import type * as tf from '@tensorflow/tfjs';
import { knownSet } from '../../config/known-sets.js';
import type { RunConfig } from '../../config/run-config.js';
import { UsageError } from '../../words/failure.js';
import { count } from '../../words/words.js';
import { dataFor } from './data-for.js';

/** What a run trains on, and what its error is measured on. */
export interface RunData {
  train: Dataset;
  test: Dataset;
  /** Training examples that were held out, where the config asks for it or the source has such. */
  validation?: Dataset;
  /** What was understood of a person's own data, a sentence each. */
  notes?: string[];
}

/** Labels that were dealt out at random are the same ones in every run, whatever its seed. */
const LABEL_SEED = 0;

/** So is what is tested on, where a source has no such part: else runs could not be compared. */
const SPLIT_SEED = 0;

/**
 * The config's data.
 *
 * @param stream where a download shows how far it is
 * @param model what it is for, whose inputs and outputs own data is read for; disposed of here
 */
export async function loadData(
  data: RunConfig['data'],
  stream: NodeJS.WriteStream,
  model: () => Promise<tf.LayersModel>,
): Promise<RunData> {
  const { source, folder, trainExamples, validation = 0, labels, augment } = data;
  const set = knownSet(source);
  const { train: all, ...others } = set
    ? await set.load({ folder, augment: augment === true }, stream)
    : await ownData(data, stream, model);
  const size = trainExamples ?? all.size;
  const first = size < all.size ? firstOf(all, size, data) : all;
  const known = labels === 'random' ? randomLabels(first, LABEL_SEED) : first;
  const train = validation > 0 ? subset(known, size - validation) : known;
  return {
    ...others,
    train,
    // Of random labels nothing can be told about examples that were not learned.
    ...(labels === 'random' && { test: train }),
    ...(validation > 0 && { validation: subset(known, [size - validation, size]) }),
  };
}

async function ownData(
  { source, label, classes, normalize, augment, skipBroken }: RunConfig['data'],
  stream: NodeJS.WriteStream,
  model: () => Promise<tf.LayersModel>,
): Promise<RunData> {
  const taker = await model();
  try {
    return await dataFor(
      taker,
      {
        ...{ data: source, seed: SPLIT_SEED, normalize, skipBroken, classes },
        label,
        augment: Array.isArray(augment) ? augment : undefined,
      },
      stream,
    );
  } finally {
    taker.dispose();
  }
}

/** @throws UsageError where they are not of all classes, as in folders, which are read one class after the other */
function firstOf(all: Dataset, size: number, { source }: RunConfig['data']): Dataset {
  const part = subset(all, size);
  for (const [i, { kind, shape, values, classes }] of all.targets.entries()) {
    if (kind !== 'classes' || shape.length > 0 || 'file' in values) continue;
    const [whole, some] = [values, part.targets[i]!.values as Int32Array].map((each) => new Set(each).size);
    if (some! < whole!)
      throw new UsageError(
        `data.trainExamples: the first ${count(size)} training examples of ${source} are of ${some} of its ${classes!.length} classes, as it is read in their order; take more, or leave it out.`,
      );
  }
  return part;
}
