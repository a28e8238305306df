import type { Shape } from '../steps.js';
import { type Converter, type LayerContext, op, pair, refuse } from './layer-context.js';
import { arange } from './transposed.js';
import { asChannelsFirst, asTfjs, placesOf, sizeOf, type Value } from './value.js';
import { windowOf } from './window.js';

/** An image made of the context's input by a node, channels first. */
function image(context: LayerContext, make: (tensor: string) => string): Value {
  const { graph, inputs, outShape } = context;
  const [height, width, channels] = outShape as [number, number, number];
  const tensor = make(asChannelsFirst(graph, inputs[0]!).tensor);
  return { tensor, stored: [channels, height, width], shape: outShape, order: 'channelsFirst' };
}

const pooled =
  (opType: 'MaxPool' | 'AveragePool'): Converter =>
  (context) => {
    const { config, inputs, outShape } = context;
    // ONNX's AveragePool can't dilate in this opset, and tfjs's pooling doesn't.
    const { dilations, ...window } = windowOf(config, pair(config.poolSize), inputs[0]!.shape, outShape);
    return image(context, (x) => op(context, opType, [x], window));
  };

const globallyPooled =
  (opType: 'GlobalMaxPool' | 'GlobalAveragePool'): Converter =>
  (context) => {
    const { graph, inputs, outShape } = context;
    const { tensor } = asChannelsFirst(graph, inputs[0]!);
    return {
      tensor: op(context, opType, [tensor]),
      stored: [outShape[0]!, 1, 1],
      shape: outShape,
      order: 'same',
    };
  };

type Edges = [[number, number], [number, number]];

const zeroPadding2d: Converter = (context) => {
  const [[top, bottom], [left, right]] = context.config.padding as unknown as Edges;
  const pads = context.graph.ints([0, 0, top, left, 0, 0, bottom, right]);
  return image(context, (x) => op(context, 'Pad', [x, pads]));
};

const cropping2d: Converter = (context) => {
  const { graph, config, inputs, outShape } = context;
  const [[top], [left]] = config.cropping as unknown as Edges;
  const value = inputs[0]!;
  // The parts of a vector that pruneModel's gather puts together are only noted; what reads them takes them all at once.
  if (value.stored.length === 1)
    return { ...value, shape: outShape, order: cropped(value, top, left, outShape) };
  const isFirst = value.order === 'channelsFirst';
  const x = isFirst ? value : asTfjs(graph, value);
  const [starts, ends] = [
    [top, left],
    [top + outShape[0]!, left + outShape[1]!],
  ];
  const ranges = [starts, ends, isFirst ? [2, 3] : [1, 2]].map((list) => graph.ints(list));
  const [height, width, channels] = outShape as [number, number, number];
  const stored = isFirst ? [channels, height, width] : outShape;
  return { tensor: op(context, 'Slice', [x.tensor, ...ranges]), stored, shape: outShape, order: x.order };
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
  const { graph, layer, config } = context;
  if (config.interpolation !== 'nearest' && config.interpolation !== 'bilinear') {
    refuse(context, `interpolates '${config.interpolation}'; exportOnnx knows 'nearest' and 'bilinear'`);
  }
  const scales = graph.floats(`${layer.name}/scales`, [4], Float32Array.of(1, 1, ...pair(config.size)));
  return image(context, (x) =>
    op(context, 'Resize', [x, '', scales], {
      mode: config.interpolation === 'nearest' ? 'nearest' : 'linear',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
  );
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
