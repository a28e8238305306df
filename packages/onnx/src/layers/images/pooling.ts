import { asTfjs, isImage, plainValue } from '../../graph/value.js';
import {
  type Converter,
  forEachAxis,
  fromImage,
  imageOf,
  type LayerEntries,
  maskTensor,
  op,
} from '../context.js';
import { windowOf, withoutSkipped } from './window.js';

const pooled =
  (opType: 'MaxPool' | 'AveragePool'): Converter =>
  (context) => {
    const { config } = context;
    const image = imageOf(context);
    const size = forEachAxis(config.poolSize, image.spatial.length);
    // ONNX's AveragePool can't dilate in this opset, and tfjs's pooling doesn't.
    const window = windowOf(context, { ...config, dilationRate: 1 }, size, image.spatial);
    const { dilations: _, ...attributes } = window.attributes;
    return fromImage(context, {
      ...image,
      tensor: op(context, opType, [withoutSkipped(context, image, window)], attributes),
      spatial: window.steps,
    });
  };

const globallyPooled =
  (kind: 'Max' | 'Average'): Converter =>
  (context) => {
    const { graph, config, inputs } = context;
    const [value] = inputs as [(typeof inputs)[0]];
    const rank = value.shape.length;
    const ones = Array<number>(rank - 1).fill(1);
    if (config.dataFormat === 'channelsFirst' || isImage(value)) {
      const { tensor, channels } = imageOf(context);
      const y = op(context, `Global${kind}Pool`, [tensor]);
      if (config.keepdims) return fromImage(context, { tensor: y, channels, spatial: ones });
      return { ...plainValue(y, [channels]), stored: [channels, ...ones] };
    }
    const x = asTfjs(graph, value);
    const channels = value.shape.at(-1)!;
    const axes = ones.map((_, i) => i + 1);
    const keepdims = config.keepdims ? 1n : 0n;
    const opType = kind === 'Max' ? 'ReduceMax' : 'ReduceMean';
    const y = op(context, opType, [x.tensor], { axes, keepdims });
    return plainValue(y, config.keepdims ? [...ones, channels] : [channels]);
  };

/** The mean of the steps that count. */
const maskedPooling: Converter = (context) => {
  const { graph, inputs, masks } = context;
  const x = asTfjs(graph, inputs[0]!);
  const mask = maskTensor(context, masks[0]);
  const channels = x.shape.at(-1)!;
  const done = (tensor: string) => ({ ...plainValue(tensor, [channels]), mask: undefined });
  if (mask === undefined) return done(op(context, 'ReduceMean', [x.tensor], { axes: [1], keepdims: 0n }));
  // 1 is ONNX's float32
  const counts = op(context, 'Unsqueeze', [op(context, 'Cast', [mask], { to: 1n }), graph.ints([2])]);
  const [sum, count] = [op(context, 'Mul', [x.tensor, counts]), counts].map((tensor) =>
    op(context, 'ReduceSum', [tensor, graph.ints([1])], { keepdims: 0n }),
  ) as [string, string];
  return done(op(context, 'Div', [sum, count]));
};

const ranks = [1, 2, 3];

/** Pooling of sequences, images and volumes, by windows and over all of them. */
export const poolingLayers: LayerEntries = {
  MaskedGlobalAveragePooling1D: { convert: maskedPooling, readsMask: true },
  ...Object.fromEntries(
    ranks.flatMap((rank) => [
      [`MaxPooling${rank}D`, { convert: pooled('MaxPool') }],
      [`AveragePooling${rank}D`, { convert: pooled('AveragePool') }],
      [`GlobalMaxPooling${rank}D`, { convert: globallyPooled('Max') }],
      [`GlobalAveragePooling${rank}D`, { convert: globallyPooled('Average') }],
    ]),
  ),
};
