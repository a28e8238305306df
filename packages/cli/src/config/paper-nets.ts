import { leNet5, leNetFc, type NetOptions, vggDropout, vggLike } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import type { KnownSetName } from './known-sets.js';

/** A network of the paper's tables. */
export interface PaperNet {
  title: string;
  /** The data set whose images it takes. */
  images: KnownSetName;
  build(options: NetOptions & { scale?: number }): tf.LayersModel;
  /** Whether a `scale` multiplies its widths. */
  scales?: true;
  /** Whether it has batch norm. */
  batchNorm?: true;
  /** Its published dropout, by layer. */
  dropout?: Readonly<Record<string, number>>;
}

/** The networks of the paper's tables, by the names that configs and published figures have for them. */
export const paperNets = {
  lenet5: { title: 'LeNet-5', images: 'mnist', build: leNet5 },
  'lenet-fc': { title: 'LeNet-fc', images: 'mnist', build: leNetFc },
  'vgg-like': {
    title: 'VGG-like',
    images: 'cifar10',
    build: vggLike,
    scales: true,
    batchNorm: true,
    dropout: vggDropout,
  },
} satisfies Record<string, PaperNet>;

export type PaperNetName = keyof typeof paperNets;
export const paperNetNames = Object.keys(paperNets) as PaperNetName[];

/** The paper's network of this name; undefined for the path of a model. */
export const paperNet = (model: string): PaperNet | undefined =>
  Object.hasOwn(paperNets, model) ? paperNets[model as PaperNetName] : undefined;

/** Names of the networks that have something, for messages. */
export const netsWith = (what: 'scales' | 'batchNorm' | 'dropout'): string =>
  paperNetNames
    .filter((name) => paperNet(name)?.[what])
    .map((name) => `'${name}'`)
    .join(', ');
