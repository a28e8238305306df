import type { Dataset } from '@sbp/data';
import type { TrainConfig } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';

/** How many examples there are in each part. */
export interface Sizes {
  train: number;
  test: number;
}

/** Examples to train and to test on, the same from the same seed. */
export interface Split {
  train: Dataset;
  test: Dataset;
}

/** One kind of data, and a model that a person might have trained on it. */
export interface Row {
  readonly name: string;
  readonly sizes: Sizes;
  /** Draws the data. */
  data(seed: number, sizes: Sizes): Split;
  /** Writes it as a person has it. @returns what `--data` takes, inside the folder */
  write(split: Split, folder: string): Promise<string>;
  /** The model with its first weights. */
  model(seed: number): tf.LayersModel;
  readonly training: TrainConfig;
  /** What `sbp compress` has to be told beside model, data and target. */
  readonly flags: readonly string[];
}
