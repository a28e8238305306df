import type { Augmentation, Target } from '../dataset/dataset.js';
import type { NormalizeName } from '../prepare/normalization.js';

/** What a model takes at one input: the shape of one example (null: any), or that and the type of its numbers. */
export type InputSpec =
  | readonly (number | null)[]
  | {
      readonly shape: readonly (number | null)[];
      /** Whole numbers are then held as this; left out, as the data has them. */
      readonly dtype?: 'float32' | 'int32';
    };

/** What a model gives at one output. */
export interface OutputSpec {
  /** What its numbers are; left out, found out from the data and told in the notes. */
  readonly kind?: Target['kind'];
  /** How many classes it tells apart, or labels or values it gives; 1 for a sigmoid that tells two classes apart. */
  readonly size?: number;
}

/** How data is read; all of it optional, but images need `inputs` and `normalize`. */
export interface DataOptions {
  /** The model's inputs by name, in its order. Images are resized to theirs: [height, width, 1] is greyscale, [height, width, 3] RGB. */
  inputs?: Readonly<Record<string, InputSpec>>;
  /** The model's outputs by name, in its order; a number stands for one output with so many classes. */
  outputs?: number | Readonly<Record<string, OutputSpec>>;
  /** Of a CSV file: the column that is to be predicted, or several. Left out, there are no labels. */
  label?: string | readonly string[];
  /** Names of the classes in the order of the model's outputs. Default: alphabetical, by code points, as Keras has them. */
  classes?: readonly string[];
  /** How the model takes bytes of images. They are not read without it: which one it is can't be seen from them. */
  normalize?: NormalizeName;
  /** What training steps do to the images of `train`. */
  augment?: readonly Augmentation[];
  /** Of the split, where the data has none. Default 0. */
  seed?: number;
  /** Leave out what can't be read and say how much it was, instead of refusing all. */
  skipBroken?: boolean;
  /** Bytes that the data may take in memory; more is kept in a file. Default: a third of what is free. */
  memory?: number;
  /** Where such files are kept. Default: this user's cache folder for `sbp`. */
  cacheFolder?: string;
  /** How far the reading is, in examples. */
  onProgress?(done: number, of: number): void;
}

/** The shape and type of each input, by name. */
export function inputSpecs({ inputs = {} }: DataOptions) {
  return Object.entries(inputs).map(([name, spec]) => ({
    name,
    ...('shape' in spec ? spec : { shape: spec, dtype: undefined }),
  }));
}

/** What is known of each output, by name. */
export function outputSpecs({ outputs = {} }: DataOptions): ({ name?: string } & OutputSpec)[] {
  if (typeof outputs === 'number') return [{ size: outputs }];
  return Object.entries(outputs).map(([name, spec]) => ({ name, ...spec }));
}
