import { type Converter, op, type Parameter, refuse, weightsOf } from './layer-context.js';
import { asChannelsFirst, asTfjs, asVector, storedOrder } from './value.js';

const filled = (size: number, value: number): Parameter => ({
  data: new Float32Array(size).fill(value),
  shape: [size],
});

const batchNormalization: Converter = (context) => {
  const { graph, layer, config, inputs, outShape } = context;
  const rank = outShape.length;
  if (config.axis !== -1 && config.axis !== rank)
    refuse(context, `normalises axis ${config.axis}; exportOnnx knows the last`);
  const size = outShape.at(-1)!;
  const weights = weightsOf(context);
  const gamma = config.scale ? weights.shift()! : filled(size, 1);
  const beta = config.center ? weights.shift()! : filled(size, 0);
  const [mean, variance] = weights as [Parameter, Parameter];
  const epsilon = config.epsilon as number;
  if (rank === 1 || rank === 3) {
    const x = rank === 1 ? asVector(graph, inputs[0]!) : asChannelsFirst(graph, inputs[0]!);
    const parameters = Object.entries({ gamma, beta, mean, variance }).map(([name, { data }]) =>
      graph.floats(`${layer.name}/${name}`, [size], storedOrder(data, x)),
    );
    return { ...x, tensor: op(context, 'BatchNormalization', [x.tensor, ...parameters], { epsilon }) };
  }
  const x = asTfjs(graph, inputs[0]!);
  const factor = gamma.data.map((g, i) => g / Math.sqrt(variance.data[i]! + epsilon));
  const term = beta.data.map((b, i) => b - mean.data[i]! * factor[i]!);
  const scaled = op(context, 'Mul', [x.tensor, graph.floats(`${layer.name}/factor`, [size], factor)]);
  return { ...x, tensor: op(context, 'Add', [scaled, graph.floats(`${layer.name}/term`, [size], term)]) };
};

const layerNormalization: Converter = (context) => {
  const { graph, layer, config, inputs, outShape } = context;
  const rank = outShape.length + 1;
  const axes = [config.axis]
    .flat()
    .map((axis) => ((axis as number) + rank) % rank)
    .sort((a, b) => a - b);
  const first = rank - axes.length;
  if (axes.some((axis, i) => axis !== first + i) || first === 0) {
    refuse(context, `normalises axes ${axes}; exportOnnx knows the last ones together`);
  }
  const shape = outShape.slice(first - 1);
  const size = shape.reduce((product, d) => product * d, 1);
  const weights = weightsOf(context);
  const gamma = config.scale ? weights.shift()! : filled(size, 1);
  const beta = config.center ? weights.shift()! : filled(size, 0);
  const x = asTfjs(graph, inputs[0]!);
  const parameters = Object.entries({ gamma, beta }).map(([name, { data }]) =>
    graph.floats(`${layer.name}/${name}`, shape, data),
  );
  const attributes = { axis: BigInt(first), epsilon: config.epsilon as number };
  return { ...x, tensor: op(context, 'LayerNormalization', [x.tensor, ...parameters], attributes) };
};

export const normalizationLayers: Readonly<Record<string, Converter>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
};
