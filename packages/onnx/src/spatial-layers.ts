import { type Converter, op, pair, refuse } from './layer-context.js';
import type { Shape } from './shape.js';
import { arange } from './transposed.js';
import { asChannelsFirst, asTfjs, imageValue, placesOf, plainValue, sizeOf, type Value } from './value.js';
import { windowOf } from './window.js';

const pooled =
  (opType: 'MaxPool' | 'AveragePool'): Converter =>
  (context) => {
    const { graph, config, inputs } = context;
    const image = asChannelsFirst(graph, inputs[0]!);
    const { attributes, steps } = windowOf(config, pair(config.poolSize), image.shape);
    // ONNX's AveragePool can't dilate in this opset, and tfjs's pooling doesn't.
    const { dilations, ...window } = attributes;
    return imageValue(op(context, opType, [image.tensor], window), [...steps, image.shape[2]!]);
  };

const globallyPooled =
  (opType: 'GlobalMaxPool' | 'GlobalAveragePool'): Converter =>
  (context) => {
    const { graph, inputs, outShape } = context;
    const tensor = op(context, opType, [asChannelsFirst(graph, inputs[0]!).tensor]);
    return { tensor, stored: [...outShape, 1, 1], shape: outShape, order: 'same' };
  };

type Edges = [[number, number], [number, number]];

const zeroPadding2d: Converter = (context) => {
  const { graph, inputs, outShape } = context;
  const [[top, bottom], [left, right]] = context.config.padding as unknown as Edges;
  const pads = graph.ints([0, 0, top, left, 0, 0, bottom, right]);
  const { tensor } = asChannelsFirst(graph, inputs[0]!);
  return imageValue(op(context, 'Pad', [tensor, pads]), outShape);
};

const cropping2d: Converter = (context) => {
  const { graph, config, inputs, outShape } = context;
  const [[top], [left]] = config.cropping as unknown as Edges;
  const value = inputs[0]!;
  // The parts of a vector that pruneModel's gather puts together are only noted; what reads them takes them all at once.
  const isColumn = value.shape[1] === 1 && value.shape[2] === 1;
  if (isColumn || typeof value.order !== 'string') {
    return { ...value, shape: outShape, order: cropped(value, top, left, outShape) };
  }
  const isFirst = value.order === 'channelsFirst';
  const x = isFirst ? value : asTfjs(graph, value);
  const [starts, ends] = [
    [top, left],
    [top + outShape[0]!, left + outShape[1]!],
  ];
  const ranges = [starts, ends, isFirst ? [2, 3] : [1, 2]].map((list) => graph.ints(list));
  const tensor = op(context, 'Slice', [x.tensor, ...ranges]);
  return isFirst ? imageValue(tensor, outShape) : plainValue(tensor, outShape);
};

function cropped(value: Value, top: number, left: number, outShape: Shape): Uint32Array {
  const places = placesOf(value);
  const [, width, channels] = value.shape as [number, number, number];
  const row = outShape[1]! * channels;
  return arange(sizeOf(outShape)).map((i) => {
    const [y, rest] = [Math.floor(i / row) + top, (i % row) + left * channels];
    return places[y * width * channels + rest]!;
  });
}

const upSampling2d: Converter = (context) => {
  const { graph, layer, config, inputs, outShape } = context;
  if (config.interpolation !== 'nearest' && config.interpolation !== 'bilinear') {
    refuse(context, `interpolates '${config.interpolation}'; exportOnnx knows 'nearest' and 'bilinear'`);
  }
  const scales = graph.floats(`${layer.name}/scales`, [4], Float32Array.of(1, 1, ...pair(config.size)));
  const { tensor } = asChannelsFirst(graph, inputs[0]!);
  const resized = op(context, 'Resize', [tensor, '', scales], {
    mode: config.interpolation === 'nearest' ? 'nearest' : 'linear',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
  return imageValue(resized, outShape);
};

export const spatialLayers: Readonly<Record<string, Converter>> = {
  MaxPooling2D: pooled('MaxPool'),
  AveragePooling2D: pooled('AveragePool'),
  GlobalMaxPooling2D: globallyPooled('GlobalMaxPool'),
  GlobalAveragePooling2D: globallyPooled('GlobalAveragePool'),
  ZeroPadding2D: zeroPadding2d,
  Cropping2D: cropping2d,
  UpSampling2D: upSampling2d,
};
