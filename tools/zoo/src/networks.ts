/** A network of keras.applications. */
export interface Network {
  /** Height and width of the input that outputs are compared at. */
  size: number;
  /** Of the input that `published` is about. */
  publishedSize: number;
  /** Least and greatest value of an image as the network wants it. */
  span: readonly [low: number, high: number];
  published: Published;
  /** Kinds of files that are broken as they are made, and why. */
  broken?: Readonly<Record<string, string>>;
}

export interface Published {
  /** Multiply-accumulates of one image. */
  macs: number;
  /** One unit in the last place that the source prints. */
  unit: number;
  source: string;
}

const M = 1e6;
const G = 1e9;
/** Networks that scale their input themselves want pixels. */
const pixels = [0, 255] as const;
const scaled = [-1, 1] as const;

/** Small ones are as small as the network allows with something left to convolve in its last stage. */
export const networks = {
  MobileNet: {
    ...{ size: 64, publishedSize: 224, span: scaled },
    published: { macs: 569 * M, unit: M, source: 'Howard et al. 2017, table 4' },
  },
  MobileNetV2: {
    ...{ size: 64, publishedSize: 224, span: scaled },
    published: { macs: 300 * M, unit: M, source: 'Sandler et al. 2018, table 4' },
  },
  MobileNetV3Small: {
    ...{ size: 64, publishedSize: 224, span: pixels },
    published: { macs: 56 * M, unit: M, source: 'Howard et al. 2019, table 3' },
    broken: {
      converter:
        'Keras 2 calls layers Conv and Conv/BatchNorm, and of the second the converter leaves the weights out',
    },
  },
  ResNet50: {
    ...{ size: 64, publishedSize: 224, span: scaled },
    published: { macs: 3.86 * G, unit: 0.01 * G, source: 'He et al. 2015, table 1 (3.8 G, cut off)' },
  },
  ResNet50V2: {
    ...{ size: 64, publishedSize: 224, span: scaled },
    published: { macs: 3.49 * G, unit: 0.01 * G, source: 'TF-Slim (6.974 GFLOP with additions and pooling)' },
  },
  VGG16: {
    ...{ size: 64, publishedSize: 224, span: scaled },
    published: { macs: 15.5 * G, unit: 0.1 * G, source: 'Han et al. 2015, table 5 (30.9 GFLOP)' },
  },
  DenseNet121: {
    ...{ size: 64, publishedSize: 224, span: scaled },
    published: { macs: 2.83 * G, unit: 0.01 * G, source: 'torchvision' },
  },
  EfficientNetB0: {
    ...{ size: 64, publishedSize: 224, span: pixels },
    published: { macs: 0.39 * G, unit: 0.01 * G, source: 'Tan and Le 2019, table 2' },
  },
  EfficientNetV2B0: {
    ...{ size: 64, publishedSize: 224, span: pixels },
    published: { macs: 0.72 * G, unit: 0.01 * G, source: 'google/automl, its authors’ code' },
  },
  Xception: {
    ...{ size: 96, publishedSize: 299, span: scaled },
    published: { macs: 8.38 * G, unit: 0.01 * G, source: 'Zoph et al. 2018, table 2' },
  },
  InceptionV3: {
    ...{ size: 96, publishedSize: 299, span: scaled },
    published: { macs: 5.72 * G, unit: 0.01 * G, source: 'Zoph et al. 2018, table 2' },
  },
  NASNetMobile: {
    ...{ size: 64, publishedSize: 224, span: scaled },
    published: { macs: 564 * M, unit: M, source: 'Zoph et al. 2018, table 2' },
  },
  ConvNeXtTiny: {
    ...{ size: 64, publishedSize: 224, span: pixels },
    published: { macs: 4.5 * G, unit: 0.1 * G, source: 'Liu et al. 2022, table 1' },
  },
} as const satisfies Record<string, Network>;

export type NetworkName = keyof typeof networks;
