import { leNet5, leNetFc, type NetOptions, noisyConv2d, vggLike } from '@sbp/layers';
import { withNoise } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import { resNet20 } from './resnet20.js';

/** A network of the benchmarks, as data that another process can build it from. */
export type Network =
  | { net: 'lenet-fc' }
  | { net: 'lenet5' }
  | { net: 'vgg'; scale: number }
  | { net: 'resnet20' }
  /** `depth` 3×3 convolutions of `width` channels, the first of stride 2, then dense 10: for what grows with what. */
  | { net: 'stack'; depth: number; width: number };

/** The networks of the first table. */
export const networks = {
  'lenet-fc': { title: 'LeNet-fc', network: { net: 'lenet-fc' }, batch: 128 },
  lenet5: { title: 'LeNet-5', network: { net: 'lenet5' }, batch: 128 },
  vgg: { title: 'VGG-like ×0.25, batch norm', network: { net: 'vgg', scale: 0.25 }, batch: 100 },
  resnet20: { title: 'ResNet-20 by withNoise', network: { net: 'resnet20' }, batch: 100 },
} as const satisfies Record<string, { title: string; network: Network; batch: number }>;

export type NetworkName = keyof typeof networks;

/** Whether the peers can build it: their layers stand on one path. */
export const hasPeers = (name: NetworkName) => name !== 'resnet20';

/** The same weights every time, on every engine. */
export function buildNetwork(network: Network, noise: NetOptions['noise']): tf.LayersModel {
  if (network.net === 'lenet-fc') return leNetFc({ noise });
  if (network.net === 'lenet5') return leNet5({ noise });
  if (network.net === 'vgg') return vggLike({ noise, scale: network.scale });
  if (network.net === 'resnet20') return noise ? withNoise(resNet20(), noise) : resNet20();
  const convolutions = Array.from({ length: network.depth }, (_, i) => {
    const config = {
      ...{ name: `conv${i + 1}`, filters: network.width, kernelSize: 3, padding: 'same' as const },
      ...{ activation: 'relu' as const, kernelInitializer: tf.initializers.heNormal({ seed: i + 1 }) },
      ...(i === 0 && { inputShape: [28, 28, 1], strides: 2 }),
    };
    return noise ? noisyConv2d({ ...config, noise }) : tf.layers.conv2d(config);
  });
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 0 });
  return tf.sequential({
    layers: [
      ...convolutions,
      tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
      tf.layers.dense({ name: 'logits', units: 10, kernelInitializer }),
      tf.layers.softmax(),
    ],
  });
}

/** A network in the words that the peers build it from, up to its logits. */
export type PeerLayer =
  | { kind: 'conv'; name: string; padding: 'valid' | 'same'; bias: boolean }
  | { kind: 'dense' | 'batchNorm' | 'noise'; name: string }
  | { kind: 'pool' | 'relu' | 'flatten' };

/**
 * The layers of a network as a person would write them elsewhere: noise is a layer of its own, which multiplies the activations, and it stands where they
 * are smallest, after the pooling and the ReLU.
 */
export function peerLayers(model: tf.LayersModel): PeerLayer[] {
  const layers: PeerLayer[] = [];
  let waiting: PeerLayer[] = [];
  const afterRelu = () => {
    layers.push({ kind: 'relu' }, ...waiting);
    waiting = [];
  };
  for (const layer of model.layers) {
    const { name } = layer;
    const config = layer.getConfig();
    const kind = layer.getClassName();
    if (kind === 'NoisyConv2D' || kind === 'NoisyDense') waiting = [{ kind: 'noise', name }];
    if (kind === 'Conv2D' || kind === 'NoisyConv2D')
      layers.push({
        ...{ kind: 'conv', name, bias: config.useBias as boolean },
        padding: config.padding as 'valid' | 'same',
      });
    else if (kind === 'Dense' || kind === 'NoisyDense') layers.push({ kind: 'dense', name });
    else if (kind === 'BatchNormalization') layers.push({ kind: 'batchNorm', name });
    else if (kind === 'LogNormalDropout') layers.push({ kind: 'noise', name });
    else if (kind === 'MaxPooling2D') layers.push({ kind: 'pool' });
    else if (kind === 'Flatten') layers.push({ kind: 'flatten' });
    else if (kind === 'ReLU') afterRelu();
    else if (kind !== 'Softmax' && kind !== 'InputLayer') throw new Error(`no peer has a layer ${kind}`);
    if (config.activation === 'relu') afterRelu();
  }
  return layers;
}
