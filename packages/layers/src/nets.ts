import * as tf from '@tensorflow/tfjs';
import { groupLasso } from './group-lasso.js';
import { logNormalDropout } from './log-normal-dropout.js';
import type { NoiseConfig } from './noise.js';
import { noisyConv2d } from './noisy-conv2d.js';
import { noisyDense } from './noisy-dense.js';
import { seededDropout } from './seeded-dropout.js';
import { sparseVdConv2d, sparseVdDense } from './sparse-vd.js';
import { NoiseConfigError } from './variational.js';
import type { VdConfig } from './variational-weights.js';

/** Options of the networks of the paper's tables: the method, with its settings for every layer, and a seed. */
export interface NetOptions {
  /** Log-normal noise on the groups; `false` builds the same network without. Default {} where no other method is given. */
  noise?: NoiseConfig | false;
  /** Sparse variational dropout on all weights instead, the last layer's included. */
  sparseVd?: VdConfig;
  /** Group lasso on kernels instead; the last layer's filters are the classes and are left alone. */
  groupLasso?: NetLassoConfig;
  /** Seed of the weights' initial values. Default 0. */
  seed?: number;
}

/** `groupLasso`'s settings for all layers, or by the layers' names, where those left out have none. */
export interface NetLassoConfig {
  filters?: number | Record<string, number>;
  channels?: number | Record<string, number>;
  threshold?: number;
}

/**
 * The seed is spread over layers by counting: tfjs would give two layers of one shape the same weights.
 */
function builder({ noise: given, sparseVd: vd, groupLasso: lasso, seed = 0 }: NetOptions) {
  const methods = Object.entries({ noise: given, sparseVd: vd, groupLasso: lasso }).filter(([, m]) => m);
  if (methods.length > 1)
    throw new NoiseConfigError(
      `net options: ${methods.map(([name]) => name).join(' and ')} are given; expected one method at most.`,
    );
  const noise = methods.length === 0 ? given !== false && {} : given;
  let layers = 0;
  const kernelInitializer = (name: 'glorotUniform' | 'heNormal') =>
    tf.initializers[name]({ seed: (seed * 1000 + ++layers) % 2 ** 31 });
  const kernelRegularizer = (layer: string | undefined) => {
    if (!lasso) return {};
    const { threshold } = lasso;
    const of = (penalty: number | Record<string, number> = 0) =>
      typeof penalty === 'number' ? penalty : (penalty[layer as string] ?? 0);
    const filters = layer === 'logits' ? 0 : of(lasso.filters);
    return { kernelRegularizer: groupLasso({ filters, channels: of(lasso.channels), threshold }) };
  };
  const withoutNoise = {
    conv: (config: Parameters<typeof tf.layers.conv2d>[0]) =>
      vd
        ? sparseVdConv2d({ ...config, vd })
        : tf.layers.conv2d({ ...config, ...kernelRegularizer(config.name) }),
    dense: (config: Parameters<typeof tf.layers.dense>[0]) =>
      vd
        ? sparseVdDense({ ...config, vd })
        : tf.layers.dense({ ...config, ...kernelRegularizer(config.name) }),
  };
  return {
    conv(config: Parameters<typeof tf.layers.conv2d>[0]) {
      const full = { kernelInitializer: kernelInitializer('glorotUniform'), ...config };
      return noise ? noisyConv2d({ ...full, noise }) : withoutNoise.conv(full);
    },
    dense(config: Parameters<typeof tf.layers.dense>[0]) {
      const full = { kernelInitializer: kernelInitializer('glorotUniform'), ...config };
      return noise ? noisyDense({ ...full, noise }) : withoutNoise.dense(full);
    },
    logits(units: number) {
      const full = { name: 'logits', units, kernelInitializer: kernelInitializer('glorotUniform') };
      if (vd) return sparseVdDense({ ...full, vd });
      return tf.layers.dense({ ...full, ...kernelRegularizer('logits') });
    },
    noise(name: string, inputShape?: tf.Shape) {
      return noise ? [logNormalDropout({ ...noise, name, ...(inputShape && { inputShape }) })] : [];
    },
    /** A convolution whose noise, if any, comes later. */
    plainConv(config: Parameters<typeof tf.layers.conv2d>[0]) {
      return withoutNoise.conv({ kernelInitializer: kernelInitializer('heNormal'), ...config });
    },
  };
}

/** ReLU commutes with max-pooling, so it runs on the pooled tensor, a quarter of the size. */
const pooled = (index: number) => [
  tf.layers.maxPooling2d({ name: `pool${index}`, poolSize: 2, strides: 2 }),
  tf.layers.reLU({ name: `relu${index}` }),
];

const probabilities = () => tf.layers.softmax({ name: 'probabilities' });

/**
 * LeNet-5 of the paper (the Caffe LeNet): 'valid' 5×5 convolutions of 20 and 50 channels, each with 2×2 max-pooling, dense 500,
 * dense 10. Noise on conv 1, conv 2, the flattened 800 and the dense 500. Input [batch, 28, 28, 1], output class
 * probabilities [batch, 10].
 */
export function leNet5(options: NetOptions = {}): tf.Sequential {
  const net = builder(options);
  return tf.sequential({
    name: 'lenet5',
    layers: [
      net.conv({ name: 'conv1', filters: 20, kernelSize: 5, inputShape: [28, 28, 1] }),
      ...pooled(1),
      net.conv({ name: 'conv2', filters: 50, kernelSize: 5 }),
      ...pooled(2),
      tf.layers.flatten({ name: 'flatten' }),
      ...net.noise('flatten_noise'),
      net.dense({ name: 'dense1', units: 500, activation: 'relu' }),
      net.logits(10),
      probabilities(),
    ],
  });
}

/**
 * LeNet-fc of the paper: 784-500-300-10 with ReLU; noise on the input pixels and on both hidden layers. Input [batch, 28, 28, 1],
 * output class probabilities [batch, 10].
 */
export function leNetFc(options: NetOptions = {}): tf.Sequential {
  const net = builder(options);
  return tf.sequential({
    name: 'lenet-fc',
    layers: [
      tf.layers.flatten({ name: 'flatten', inputShape: [28, 28, 1] }),
      ...net.noise('input_noise'),
      net.dense({ name: 'dense1', units: 500, activation: 'relu' }),
      net.dense({ name: 'dense2', units: 300, activation: 'relu' }),
      net.logits(10),
      probabilities(),
    ],
  });
}

/**
 * Dropout of the VGG-like network in pretraining, by the layers after which it stands, as in the authors' code: 0.3 and 0.4 between the
 * convolutions of the first four blocks, 0.5 around the dense layer. (The network for Torch that it comes from, Zagoruyko 2015, also has 0.4 in the
 * fifth.)
 */
export const vggDropout = {
  ...{ relu1: 0.3, relu3: 0.4, relu5: 0.4, relu6: 0.4, relu8: 0.4, relu9: 0.4 },
  ...{ flatten: 0.5, dense1: 0.5 },
} as const satisfies Record<string, number>;

/**
 * The VGG-like network of the paper: 13 'same' 3×3 convolutions with batch norm in five blocks, a 2×2 max-pool after
 * each, dense 512, dense 10; noise after each convolution's ReLU and after the dense layer's. Input [batch, 32, 32, 3], output class
 * probabilities [batch, 10].
 *
 * The published code multiplies by θ between convolution and bias, before batch norm and ReLU; there a channel that goes
 * leaves act(bias), a constant that 'same' padding would show at the edges of what reads it, so that it could not be removed exactly.
 * Here the order is convolution, batch norm, ReLU, noise: what goes is 0 for its reader, and the network without it is the same one. Where batch norm is
 * frozen the two differ in one thing: there θ multiplies the convolution alone, here also the constant that batch norm adds. The published code also has noise on the flattened units, the very groups of
 * conv 13, and batch norm after the dense layer; this network has neither.
 *
 * @param options `scale` multiplies every width (default 1); `dropout` adds {@link vggDropout}'s, for pretraining (default
 *   false)
 */
export function vggLike({
  scale = 1,
  dropout = false,
  ...options
}: NetOptions & { scale?: number; dropout?: boolean } = {}): tf.Sequential {
  const net = builder(options);
  const width = (channels: number) => Math.max(1, Math.round(channels * scale));
  const blocks = [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ];
  const layers: tf.layers.Layer[] = [];
  let index = 0;
  for (const [b, block] of blocks.entries()) {
    for (const channels of block) {
      index++;
      const inputShape = index === 1 ? { inputShape: [32, 32, 3] } : {};
      const config = {
        name: `conv${index}`,
        filters: width(channels),
        kernelSize: 3,
        padding: 'same' as const,
      };
      layers.push(
        net.plainConv({ ...config, useBias: false, ...inputShape }),
        tf.layers.batchNormalization({ name: `bn${index}` }),
        tf.layers.reLU({ name: `relu${index}` }),
        ...net.noise(`noise${index}`),
      );
    }
    layers.push(tf.layers.maxPooling2d({ name: `pool${b + 1}`, poolSize: 2, strides: 2 }));
  }
  layers.push(
    tf.layers.flatten({ name: 'flatten' }),
    net.dense({ name: 'dense1', units: width(512), activation: 'relu' }),
    net.logits(10),
    probabilities(),
  );
  const dropped = ({ name }: tf.layers.Layer) => {
    const rate = dropout && (vggDropout as Record<string, number>)[name];
    return rate ? [seededDropout({ name: `${name}_dropout`, rate })] : [];
  };
  return tf.sequential({
    name: 'vgg-like',
    layers: layers.flatMap((layer) => [layer, ...dropped(layer)]),
  });
}
