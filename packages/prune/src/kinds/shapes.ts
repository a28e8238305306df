import type { Shape } from '../ops/op.js';
import type { Kind } from './kind.js';
import { passed } from './passed.js';
import { passedWhole } from './whole.js';

/** What a new shape makes of an axis: the axis, and its indices' sources; nothing where they end up on more than one. */
export function reshapedAxis(
  from: Shape,
  axis: number,
  to: Shape,
): { axis: number; from: Int32Array } | undefined {
  const inner = from.slice(axis + 1).reduce((p, d) => p * d, 1);
  const groups = from[axis]!;
  for (let out = to.length - 1; out >= 0; out--) {
    const innerOut = to.slice(out + 1).reduce((p, d) => p * d, 1);
    const size = to[out]!;
    if (inner % innerOut !== 0 || (innerOut * size) % (inner * groups) !== 0) continue;
    const step = inner / innerOut;
    return { axis: out, from: Int32Array.from({ length: size }, (_, o) => Math.floor(o / step) % groups) };
  }
  return undefined;
}

const reshape: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const [outShape] = use.outShapes as [Shape];
  const route = reshapedAxis(value.shape, value.axis, outShape);
  if (!route) return passedWhole('it spreads its groups over several axes')(use);
  const { name } = use.config;
  return [
    passed(use, route.axis, {
      ways: [{ kind: 'passed', from: route.from }],
      build: (xs, [groups]) => {
        // what the layer knows of is behind the offset
        const shape = outShape.map((size, i) => (i === route.axis ? groups! : size)).slice(use.offset);
        if (shape.length === 1) return use.apply('Flatten', { name: name! }, xs);
        return use.apply('Reshape', { ...use.config, targetShape: shape }, xs);
      },
    }),
  ];
};

/** With channels first, tfjs moves them behind the image before it flattens. */
const flatten: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const isMoved = use.config.dataFormat === 'channelsFirst' && value.shape.length - use.offset > 1;
  if (!isMoved) return reshape(use);
  if (value.axis !== use.offset) return passedWhole('it moves its groups about')(use);
  const size = use.outShapes[0]!.at(-1)!;
  const from = Int32Array.from({ length: size }, (_, o) => o % value.groups);
  return [passed(use, use.outShapes[0]!.length - 1, { ways: [{ kind: 'passed', from }] })];
};

const permute: Kind = (use) => {
  const { axis } = use.inputs[0]!;
  const dims = use.config.dims as number[];
  return [passed(use, axis < use.offset ? axis : dims.indexOf(axis - use.offset + 1) + use.offset)];
};

const repeatVector: Kind = (use) => [passed(use, use.outShapes[0]!.length - 1)];

interface SliceConfig {
  begin: number[];
  end: (number | null)[];
  strides: number[];
  squeeze: number[];
}

/** A part of each axis; of the groups' own, a run of neighbours. */
const slice: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const at = value.axis - use.offset;
  const config = use.config as unknown as SliceConfig;
  const bounds = [config.begin[at]!, config.end[at] ?? value.groups].map((index) =>
    Math.min(Math.max(index < 0 ? index + value.groups : index, 0), value.groups),
  );
  const [begin, end] = bounds as [number, number];
  if (config.strides[at] !== 1 || config.squeeze.includes(at + 1) || at < 0)
    return passedWhole('it takes some of its groups')(use);
  const gone = config.squeeze.filter((axis) => axis < at + 1).length;
  let [first, last] = [begin, end];
  return [
    passed(use, value.axis - gone, {
      ways: [{ kind: 'passed', from: Int32Array.from({ length: end - begin }, (_, o) => begin + o) }],
      adapt: (ins) => {
        [first, last] = [begin, end].map((bound) => ins.filter((i) => i < bound).length) as [number, number];
      },
      build: (xs) => {
        const [from, to] = [[...config.begin], [...config.end]];
        [from[at], to[at]] = [first, last];
        return use.apply('Slice', { ...use.config, begin: from, end: to }, xs);
      },
    }),
  ];
};

/** Sums, means and extremes over axes that are not the groups'. */
const reduce: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const { axis, keepdims } = use.config as unknown as { axis: number[]; keepdims: boolean };
  const reduced = axis.map((each) => each - 1 + use.offset);
  if (reduced.includes(value.axis)) return passedWhole('it mixes its groups')(use);
  const gone = keepdims ? 0 : reduced.filter((each) => each < value.axis).length;
  return [passed(use, value.axis - gone)];
};

/** Layers that say the same numbers, or some of them, in another shape. */
export const shapeKinds: Readonly<Record<string, Kind>> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  Slice: slice,
  Reduce: reduce,
};
