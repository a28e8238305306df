import { leNet5, leNetFc, type NetOptions, vggLike } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import type { RunConfig } from './run-config.js';

const titles = { lenet5: 'LeNet-5', 'lenet-fc': 'LeNet-fc', 'vgg-like': 'VGG-like' } as const;

/** What people call the config's network. */
export const netTitle = ({ net, scale }: RunConfig) =>
  scale === undefined ? titles[net] : `${titles[net]} × ${scale}`;

/** Builds the config's network, with its noise or without. */
export function buildNet({ net, scale, train }: RunConfig, noise: NetOptions['noise']): tf.LayersModel {
  const options = { noise, seed: train.seed };
  if (net === 'vgg-like') return vggLike({ ...options, ...(scale !== undefined && { scale }) });
  return net === 'lenet5' ? leNet5(options) : leNetFc(options);
}
