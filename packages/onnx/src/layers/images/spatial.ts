import type { Sizes } from '../../graph/sizes.js';
import { arange } from '../../graph/transposed.js';
import { asTfjs, isListed, placesOf, plainValue, type Value } from '../../graph/value.js';
import {
  type Converter,
  FAR,
  forEachAxis,
  fromImage,
  type Image,
  imageOf,
  type LayerContext,
  type LayerEntries,
  op,
  refuse,
} from '../context.js';

type Edge = readonly [before: number, after: number];

/** A setting of what happens at either end of each axis. */
function edgesOf(setting: unknown, axes: number): Edge[] {
  const list = Array.isArray(setting) ? setting : [setting];
  if (axes === 1) {
    const [before, after] = list.flat() as number[];
    return [[before!, after ?? before!]];
  }
  return Array.from({ length: axes }, (_, i): Edge => {
    const edge = list[i] ?? list[0];
    return Array.isArray(edge) ? [edge[0], edge[1]] : [edge, edge];
  });
}

const zeroPadding =
  (axes: number): Converter =>
  (context) => {
    const edges = edgesOf(context.config.padding, axes);
    const x = imageOf(context);
    const pads = [0, 0, ...edges.map(([before]) => before), 0, 0, ...edges.map(([, after]) => after)];
    const spatial = x.spatial.map((size, i) => size && size + edges[i]![0] + edges[i]![1]);
    return fromImage(context, {
      ...x,
      tensor: op(context, 'Pad', [x.tensor, context.graph.ints(pads)]),
      spatial,
    });
  };

const cropping =
  (axes: number): Converter =>
  (context) => {
    const { graph, config, inputs } = context;
    const edges = edgesOf(config.cropping, axes);
    const value = inputs[0]!;
    const smaller = (spatial: Sizes) => spatial.map((size, i) => size && size - edges[i]![0] - edges[i]![1]);
    const isLast = config.dataFormat !== 'channelsFirst';
    // The parts of a vector that pruneModel's gather puts together are only noted; what reads them takes them all at once.
    const isColumn =
      axes === 2 && isLast && value.shape[0] !== null && value.shape[1] === 1 && value.shape[2] === 1;
    if (isColumn || (isListed(value) && axes === 2 && isLast)) {
      const outShape = [...smaller(value.shape.slice(0, -1)), value.shape.at(-1)!] as number[];
      return { ...value, shape: outShape, order: cropped(value, edges[0]![0], edges[1]![0], outShape) };
    }
    const [starts, ends] = [
      edges.map(([before]) => before),
      edges.map(([, after]) => (after > 0 ? -after : FAR)),
    ];
    // A sequence or image that comes in channels last stays so.
    const isPlain = isLast && value.order === 'same';
    const list = [starts, ends, edges.map((_, i) => i + (isPlain ? 1 : 2))].map((numbers) =>
      graph.ints(numbers),
    );
    if (isPlain) {
      const x = asTfjs(graph, value);
      const shape = [...smaller(x.shape.slice(0, -1)), x.shape.at(-1)!];
      return plainValue(op(context, 'Slice', [x.tensor, ...list]), shape, x.dtype);
    }
    const x = imageOf(context);
    return fromImage(context, {
      ...x,
      tensor: op(context, 'Slice', [x.tensor, ...list]),
      spatial: smaller(x.spatial),
    });
  };

function cropped(value: Value, top: number, left: number, outShape: readonly number[]): Uint32Array {
  const places = placesOf(value);
  const [, width, channels] = value.shape as [number, number, number];
  const row = outShape[1]! * channels;
  return arange(outShape.reduce((size, d) => size * d, 1)).map((i) => {
    const [y, rest] = [Math.floor(i / row) + top, (i % row) + left * channels];
    return places[y * width * channels + rest]!;
  });
}

/** Where a pixel of the larger image looks for itself in the smaller one. */
type Centers = 'asymmetric' | 'half_pixel' | 'align_corners';

function resized(
  context: LayerContext,
  x: Image,
  to: { scales: number[] } | { sizes: number[] },
  centers: Centers,
): Image {
  const { graph, name, config } = context;
  const isNearest = (config.interpolation ?? 'nearest') === 'nearest';
  if (!isNearest && config.interpolation !== 'bilinear')
    refuse(context, `interpolates '${config.interpolation}'; exportOnnx knows 'nearest' and 'bilinear'`);
  const nearest = {
    asymmetric: 'floor',
    half_pixel: 'round_prefer_ceil',
    align_corners: 'round_prefer_ceil',
  };
  const attributes = {
    mode: isNearest ? 'nearest' : 'linear',
    coordinate_transformation_mode: centers,
    nearest_mode: nearest[centers],
  };
  if ('scales' in to) {
    const { scales } = to;
    const factors = graph.floats(`${name}/scales`, [scales.length + 2], Float32Array.of(1, 1, ...scales));
    const spatial = x.spatial.map((size, i) => size && size * scales[i]!);
    return { ...x, tensor: op(context, 'Resize', [x.tensor, '', factors], attributes), spatial };
  }
  // The batch and the channels stay as they come.
  const kept = op(context, 'Slice', [op(context, 'Shape', [x.tensor]), graph.ints([0]), graph.ints([2])]);
  const sizes = op(context, 'Concat', [kept, graph.ints(to.sizes)], { axis: 0n });
  return { ...x, tensor: op(context, 'Resize', [x.tensor, '', '', sizes], attributes), spatial: to.sizes };
}

const upSampling =
  (axes: number, centers: Centers): Converter =>
  (context) => {
    const scales = forEachAxis(context.config.size, axes);
    return fromImage(context, resized(context, imageOf(context), { scales }, centers));
  };

const resizing =
  (centersOf: (config: Record<string, unknown>) => Centers): Converter =>
  (context) => {
    const { height, width } = context.config as { height: number; width: number };
    const centers = centersOf(context.config);
    return fromImage(context, resized(context, imageOf(context), { sizes: [height, width] }, centers));
  };

/** Layers that make a sequence, image or volume longer or shorter. */
export const spatialLayers: LayerEntries = {
  ZeroPadding1D: { convert: zeroPadding(1) },
  ZeroPadding2D: { convert: zeroPadding(2) },
  ZeroPadding3D: { convert: zeroPadding(3) },
  Cropping1D: { convert: cropping(1) },
  Cropping2D: { convert: cropping(2) },
  Cropping3D: { convert: cropping(3) },
  GeneralCropping2D: { convert: cropping(2) },
  UpSampling1D: { convert: upSampling(1, 'asymmetric') },
  UpSampling2D: { convert: upSampling(2, 'asymmetric') },
  UpSampling3D: { convert: upSampling(3, 'asymmetric') },
  GeneralUpSampling2D: { convert: upSampling(2, 'half_pixel') },
  // tfjs lets corners meet corners unless it is told to crop, which it does not do.
  Resizing: {
    convert: resizing(({ cropToAspectRatio }) => (cropToAspectRatio ? 'asymmetric' : 'align_corners')),
  },
  GeneralResizing: { convert: resizing(() => 'half_pixel') },
};
