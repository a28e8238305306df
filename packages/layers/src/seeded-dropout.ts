import { registerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { LayerDraws } from './draws.js';
import { NoiseConfigError } from './variational.js';

export interface SeededDropoutConfig {
  /** Share of the numbers that become 0 in training, 0 to 1, 1 excluded. */
  rate: number;
  /** Seed of the draws when the layer makes its own (under `model.fit`). Default 0. */
  seed?: number;
  name?: string;
  inputShape?: tf.Shape;
  batchInputShape?: tf.Shape;
}

/**
 * tfjs's own dropout draws from JavaScript's random numbers, which can't be repeated from a seed a step and would be frozen in a
 * compiled step.
 */
class SeededDropout extends tf.layers.Layer {
  static className = 'SeededDropout';
  private readonly rate: number;
  private readonly seed: number;
  private readonly draws: LayerDraws;

  constructor(config: SeededDropoutConfig) {
    super(config as ConstructorParameters<typeof tf.layers.Layer>[0]);
    this.supportsMasking = true;
    const { rate, seed = 0 } = config;
    const check = (right: boolean, what: string, value: unknown, expected: string) => {
      if (!right)
        throw new NoiseConfigError(
          `${this.name}: ${what} is ${JSON.stringify(value) ?? value}; expected ${expected}.`,
        );
    };
    check(
      typeof rate === 'number' && rate >= 0 && rate < 1,
      'rate',
      rate,
      'a number from 0 to 1, 1 excluded',
    );
    check(Number.isSafeInteger(seed) && seed >= 0, 'seed', seed, 'a whole number ≥ 0');
    [this.rate, this.seed] = [rate, seed];
    this.draws = new LayerDraws(this, seed);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
    if (!kwargs?.training || this.rate === 0) return x;
    return tf.tidy(() => {
      const stays = tf.greaterEqual(this.draws.uniform(x.shape), this.rate);
      return tf.mul(x, tf.mul(tf.cast(stays, 'float32'), 1 / (1 - this.rate)));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate, seed: this.seed };
  }
}
tf.serialization.registerClass(SeededDropout);
registerMacs('SeededDropout', 'free');

/**
 * Dropout whose draws are a function of a seed: in training each number becomes 0 with probability `rate` and is divided by 1 − rate
 * otherwise; at inference nothing happens. Under {@link withDraws} the seed is the step's, so a step is a pure function of its tensors,
 * can be a graph, and draws the same for an example however a batch is split.
 *
 * @throws NoiseConfigError for a rate or a seed that cannot be used
 */
export function seededDropout(config: SeededDropoutConfig): tf.layers.Layer {
  return new SeededDropout(config);
}

/** What tfjs writes of a functional model. */
interface GraphConfig extends tf.serialization.ConfigDict {
  layers: { name: string; className: string; config: object; inboundNodes: Reference[][] }[] & never[];
  outputLayers: Reference[] & never[];
}
type Reference = [layer: string, node: number, tensor: number, kwargs?: object];

/**
 * A network with {@link seededDropout} after some of its layers, and copies of its weights, in the same order: trained, they fit the network
 * without dropout.
 *
 * @param rates by the layers' names
 * @throws NoiseConfigError for a layer that is not there
 */
export function withDropout(model: tf.LayersModel, rates: Readonly<Record<string, number>>): tf.LayersModel {
  const names = model.layers.map(({ name }) => name);
  const stray = Object.keys(rates).find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new NoiseConfigError(`dropout: the network has no layer ${stray}; there are ${names.join(', ')}.`);
  const dropped = (name: string) => (Object.hasOwn(rates, name) ? `${name}_dropout` : name);
  const renamed = ([name, ...rest]: Reference): Reference => [dropped(name), ...rest];
  // a sequential model's config lists layers only, and not what they read
  const graph = tf.model({ inputs: model.inputs, outputs: model.outputs, name: model.name });
  const config = graph.getConfig() as GraphConfig;
  const layers = config.layers.flatMap((layer) => {
    const read = { ...layer, inboundNodes: layer.inboundNodes.map((node) => node.map(renamed)) };
    const name = dropped(layer.name);
    if (name === layer.name) return [read];
    const dropout = { name, rate: rates[layer.name] };
    const inboundNodes: Reference[][] = [[[layer.name, 0, 0, {}]]];
    return [read, { name, className: 'SeededDropout', config: dropout, inboundNodes }];
  });
  const outputLayers = config.outputLayers.map(renamed);
  const made = tf.LayersModel.fromConfig(
    tf.LayersModel as never,
    { ...config, layers, outputLayers } as never,
  );
  (made as tf.LayersModel).setWeights(model.getWeights());
  return made as tf.LayersModel;
}
