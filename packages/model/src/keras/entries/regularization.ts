import { isChannelsFirst, kept } from '../saying/config.js';
import type { Entries, Entry } from '../saying/entry.js';
import { identity } from './core.js';

const nothing: Entry['say'] = identity;

/** Layers that act in training only and that tfjs has. */
function noise(fields: readonly string[]): Entry {
  return {
    fields: [...fields, 'seed', 'noise_shape'],
    // A noise shape of Keras's may hold the batch's size, and tfjs's dropout takes none.
    say: (use) => use.add(use.className, kept(use, fields)),
  };
}

function spatial(rank: 2 | 3): Entry {
  return {
    fields: ['rate', 'seed', 'noise_shape', 'data_format'],
    say: (use) =>
      use.add(`SpatialDropout${rank}D`, {
        ...kept(use, ['rate']),
        data_format: isChannelsFirst(use) ? 'channels_first' : 'channels_last',
      }),
  };
}

/** Changes images in training, in the program that trains; here images go through. */
function augmentation(...fields: string[]): Entry {
  return { fields: [...fields, ...augmentationFields], say: nothing };
}

const augmentationFields =
  'data_format seed factor value_range rng_type mode fill_mode fill_value interpolation height_factor width_factor x_factor y_factor scale bounding_box_format'.split(
    ' ',
  );

export const regularizationEntries: Entries = {
  Dropout: noise(['rate']),
  GaussianDropout: noise(['rate']),
  GaussianNoise: noise(['stddev']),
  AlphaDropout: noise(['rate']),
  SpatialDropout1D: noise(['rate']),
  SpatialDropout2D: spatial(2),
  SpatialDropout3D: spatial(3),
  // ConvNeXt's: leaves out whole branches in training.
  StochasticDepth: { fields: ['drop_path_rate'], say: nothing },
  AugMix: augmentation('num_chains', 'chain_depth', 'alpha', 'all_ops'),
  CutMix: augmentation(),
  MixUp: augmentation('alpha'),
  RandAugment: augmentation('num_ops'),
  RandomBrightness: augmentation(),
  RandomColorDegeneration: augmentation(),
  RandomColorJitter: augmentation('brightness_factor', 'contrast_factor', 'saturation_factor', 'hue_factor'),
  RandomContrast: augmentation(),
  RandomElasticTransform: augmentation(),
  RandomErasing: augmentation(),
  RandomFlip: augmentation(),
  RandomGaussianBlur: augmentation('kernel_size', 'sigma'),
  RandomGrayscale: augmentation(),
  RandomHeight: augmentation(),
  RandomHue: augmentation(),
  RandomInvert: augmentation(),
  RandomPerspective: augmentation(),
  RandomPosterization: augmentation(),
  RandomRotation: augmentation(),
  RandomSaturation: augmentation(),
  RandomSharpness: augmentation(),
  RandomShear: augmentation(),
  RandomTranslation: augmentation(),
  RandomWidth: augmentation(),
  RandomZoom: augmentation(),
};
