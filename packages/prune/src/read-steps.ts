import { noiseOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import {
  batchNormStep,
  depthwiseStep,
  fusedActivationStep,
  isHomogeneous,
  plainStep,
  preluStep,
  runLayer,
} from './channelwise.js';
import { PruneError } from './errors.js';
import { readChain } from './graph.js';
import { linearStep } from './linear.js';
import { noiseStep } from './noise-step.js';
import { identity, type Shape, type Step } from './steps.js';
import { addLayer, assertStock, freshConfig } from './stock.js';
import { readWeights } from './weights.js';

type Config = tf.serialization.ConfigDict;

/** Layers without weights that treat each index of the last axis by itself, and whether a multiplier passes them. */
const plain: Readonly<Record<string, (config: Config) => boolean>> = {
  Activation: ({ activation }) => isHomogeneous(activation),
  ReLU: ({ maxValue }) => maxValue === undefined || maxValue === null,
  LeakyReLU: () => true,
  ELU: () => false,
  ThresholdedReLU: () => false,
  Rescaling: ({ offset }) => offset === 0,
  Dropout: () => true,
  AlphaDropout: () => true,
  GaussianDropout: () => true,
  GaussianNoise: () => true,
  SpatialDropout1D: () => true,
  MaxPooling2D: () => true,
  AveragePooling2D: () => true,
  GlobalMaxPooling2D: () => true,
  GlobalAveragePooling2D: () => true,
  ZeroPadding2D: () => true,
  Cropping2D: () => true,
  UpSampling2D: () => true,
};

const mixesLastAxis = (activation: unknown) => activation === 'softmax' || activation === 'logSoftmax';

/** A layer passed on as it is: every index of its input may bear on every index of its output. */
function wholeStep(layer: tf.layers.Layer, inShape: Shape, outShape: Shape): Step {
  assertStock(layer);
  const weights = readWeights(layer);
  return {
    name: layer.name,
    inShape,
    outShape,
    homogeneous: false,
    run: runLayer(layer),
    build: (x) => addLayer(layer.getClassName(), freshConfig(layer), x, weights),
  };
}

/** A linear layer's or depthwise convolution's activation; softmax mixes the channels and so ends their set. */
function activationSteps(layer: tf.layers.Layer, shape: Shape, alreadyRun: boolean): Step[] {
  const { activation } = layer.getConfig();
  if (activation === undefined || activation === null || activation === 'linear') return [];
  const step = fusedActivationStep(layer, shape, alreadyRun);
  return [mixesLastAxis(activation) ? { ...step, source: undefined } : step];
}

function layerSteps(
  layer: tf.layers.Layer,
  inShape: Shape,
  outShape: Shape,
  threshold: number | undefined,
): Step[] {
  const kind = layer.getClassName();
  const config = layer.getConfig();
  const noise = () => (noiseOf(layer) ? [noiseStep(layer, outShape, threshold)] : []);
  // With channels first the last axis is space, not groups.
  if (config.dataFormat === 'channelsFirst') return [wholeStep(layer, inShape, outShape)];
  if (kind === 'LogNormalDropout') return noise();
  // only training sees it do anything, and nothing but our package knows the layer
  if (kind === 'SeededDropout') return [];
  if (/^(Noisy|SparseVd)?(Dense|Conv2D)$/.test(kind)) {
    const linear = linearStep(layer, inShape, outShape, threshold);
    return [linear, ...noise(), ...activationSteps(layer, outShape, false)];
  }
  if (kind === 'DepthwiseConv2D') {
    return [depthwiseStep(layer, inShape, outShape), ...activationSteps(layer, outShape, true)];
  }
  const lastAxis = [-1, inShape.length];
  if (kind === 'BatchNormalization' && lastAxis.includes(config.axis as number)) {
    return [batchNormStep(layer, inShape)];
  }
  if (kind === 'PReLU') return [preluStep(layer, inShape)];
  if (kind === 'Flatten' || (kind === 'Reshape' && outShape.length === 1)) {
    const channels = inShape.at(-1)!;
    return [plainStep(layer, inShape, outShape, true, (unit) => unit % channels, 'Flatten')];
  }
  const homogeneous = Object.hasOwn(plain, kind) && plain[kind];
  if (homogeneous && !mixesLastAxis(config.activation)) {
    return [plainStep(layer, inShape, outShape, homogeneous(config), identity)];
  }
  return [wholeStep(layer, inShape, outShape)];
}

/** A model's single path as steps. The first is its input. */
export function readSteps(model: tf.LayersModel, threshold?: number): Step[] {
  const chain = readChain(model);
  const full = (shape: tf.Shape, where: string): Shape => {
    const sizes = shape.slice(1);
    if (sizes.includes(null)) {
      throw new PruneError(
        `'${where}' gives a tensor of shape [${shape.map(String).join(', ')}]; only the batch may be left open`,
        where,
      );
    }
    return sizes as number[];
  };
  let batched: tf.Shape = model.inputs[0]!.shape;
  const inShape = full(batched, model.inputNames[0]!);
  const steps: Step[] = [{ name: model.inputNames[0]!, inShape, outShape: inShape, homogeneous: false }];
  for (const layer of chain) {
    const before = full(batched, layer.name);
    batched = layer.computeOutputShape(batched) as tf.Shape;
    steps.push(...layerSteps(layer, before, full(batched, layer.name), threshold));
  }
  return steps;
}
