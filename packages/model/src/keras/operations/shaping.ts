import type { Json } from '../../files/model-file.js';
import type { Shape, Tensor } from '../build/tensor.js';
import { softmax } from '../entries/activations.js';
import { concatenate } from '../entries/core.js';
import { isObject, quoted } from '../topology/json.js';
import { axesOf, type Operation, type Operations, only, type Say } from './operation.js';

/** The operation as on one tensor. */
function onOne(operation: Operation, on: readonly Tensor[]): Operation {
  return {
    ...operation,
    inputs: on,
    add: (className, config, options = {}) => operation.add(className, config, { on, ...options }),
  };
}

function reshape(operation: Operation, on: Tensor, sizes: Shape, suffix?: string): readonly Tensor[] {
  const target_shape = sizes.map((size) => size ?? -1);
  return operation.add('Reshape', { target_shape }, { on: [on], ...(suffix && { suffix }) });
}

function total(shape: Shape): number | undefined {
  return shape.reduce<number | undefined>(
    (product, size) => (product === undefined || size === null ? undefined : product * size),
    1,
  );
}

const keepdimsNames = ['keepdims', 'keep_dims'];

function reduction(op: 'mean' | 'sum' | 'max' | 'min'): Say {
  return (operation) => {
    const on = only(operation, 'x', 'input_tensor');
    const rank = on.shape.length;
    const axis = axesOf(operation, operation.value(1, 'axis', 'reduction_indices'), rank).sort();
    const keepdims = operation.value(2, ...keepdimsNames) === true;
    const pool = { mean: 'Average', max: 'Max', sum: undefined, min: undefined }[op];
    const space = axis.join();
    const format = rank === 4 && { '1,2': 'channels_last', '2,3': 'channels_first' }[space];
    if (pool && format) {
      const pooled = operation.add(`Global${pool}Pooling2D`, { data_format: format }, { on: [on] });
      if (!keepdims) return pooled;
      const sizes = on.shape.slice(1).map((size, i) => (axis.includes(i + 1) ? 1 : size));
      return reshape(operation, pooled[0]!, sizes, 'keepdims');
    }
    if (pool && rank === 3 && space === '1' && !keepdims)
      return operation.add(`Global${pool}Pooling1D`, {}, { on: [on] });
    return operation.add('Reduce', { op, axis, keepdims }, { on: [on] });
  };
}

/** A part of the tensor along one axis. */
function part(
  operation: Operation,
  on: Tensor,
  axis: number,
  [from, to]: [number, number | null],
  suffix?: string,
): Tensor {
  const others = on.shape.slice(1);
  const at = <T>(value: T, otherwise: T) => others.map((_, i) => (i + 1 === axis ? value : otherwise));
  const config = { begin: at(from, 0), end: at<number | null>(to, null), strides: others.map(() => 1) };
  return operation.add('Slice', config, { on: [on], ...(suffix && { suffix }) })[0]!;
}

function split(operation: Operation, bounds: (size: number) => number[]): readonly Tensor[] {
  const on = only(operation, 'x', 'value');
  const [axis] = axesOf(operation, operation.value(2, 'axis') ?? 0, on.shape.length);
  const size = on.shape[axis!] ?? operation.fail('it splits an axis of open size');
  const edges = bounds(size);
  return edges
    .slice(1)
    .map((to, i) => part(operation, on, axis!, [edges[i]!, to], i === 0 ? undefined : `${i}`));
}

interface Item {
  begin: number;
  end: number | null;
  stride: number;
  squeeze: boolean;
}

/** One item between Python's brackets. */
function item(operation: Operation, value: Json): Item {
  const fail = () =>
    operation.fail(`it picks ${quoted(value)}, which cannot be read; only constant slices and indices can`);
  if (typeof value === 'number')
    return { begin: value, end: value === -1 ? null : value + 1, stride: 1, squeeze: true };
  const slice =
    isObject(value) && value.class_name === '__slice__' && isObject(value.config) ? value.config : value;
  if (!isObject(slice) || !('start' in slice)) return fail();
  const { start, stop, step } = slice;
  const whole = (n: Json | undefined): n is number | null => n === null || Number.isInteger(n);
  if (!whole(start) || !whole(stop) || !whole(step) || (step ?? 1) < 1) return fail();
  return { begin: start ?? 0, end: stop, stride: step ?? 1, squeeze: false };
}

function isEllipsis(value: Json): boolean {
  return value === '...' || (isObject(value) && /ellipsis/i.test(JSON.stringify(value)));
}

const getItem: Say = (operation) => {
  const on = only(operation, 'x', 'tensor');
  const rank = on.shape.length;
  const spec = operation.value(1, 'slice_spec', 'key') ?? null;
  let list = Array.isArray(spec) ? spec : [spec];
  const dots = list.findIndex(isEllipsis);
  const all = { start: null, stop: null, step: null };
  if (dots >= 0) {
    const fill = Array.from({ length: rank - list.length + 1 }, () => all);
    list = [...list.slice(0, dots), ...fill, ...list.slice(dots + 1)];
  }
  const items = Array.from({ length: rank }, (_, i) =>
    item(operation, list[i] === undefined ? all : list[i]!),
  );
  if (list.length > rank) operation.fail(`it picks along ${list.length} axes of ${rank}`);
  const [batch, ...others] = items;
  if (batch!.begin !== 0 || batch!.end !== null || batch!.stride !== 1 || batch!.squeeze)
    operation.fail('it picks examples of a batch, which no layer can do');
  return operation.add(
    'Slice',
    {
      begin: others.map(({ begin }) => begin),
      end: others.map(({ end }) => end),
      strides: others.map(({ stride }) => stride),
      squeeze: others.flatMap(({ squeeze }, i) => (squeeze ? [i + 1] : [])),
    },
    { on: [on] },
  );
};

export const shaping: Operations = {
  mean: reduction('mean'),
  sum: reduction('sum'),
  max: reduction('max'),
  min: reduction('min'),
  getItem,
  reshape: (operation) => {
    const on = only(operation, 'x', 'tensor');
    const value = operation.value(1, 'newshape', 'shape');
    if (!Array.isArray(value)) operation.fail(`its shape is ${quoted(value)}; expected a list of sizes`);
    const [batch, ...sizes] = (value as Json[]).map((size) =>
      typeof size === 'number' && size >= 0 ? size : null,
    );
    const given = total(on.shape.slice(1));
    const open = sizes.filter((size) => size === null).length;
    const known = total(sizes.filter((size) => size !== null))!;
    const resolved = open === 1 && given !== undefined ? sizes.map((size) => size ?? given / known) : sizes;
    const fits = given === undefined || total(resolved) === given;
    if (batch !== null || open > 1 || !fits)
      operation.fail(
        `it reshapes to ${quoted(value)}, across the batch; only shapes that leave the batch can be read`,
      );
    return reshape(operation, on, resolved);
  },
  transpose: (operation) => {
    const on = only(operation, 'x', 'a');
    const value = operation.value(1, 'axes', 'perm');
    const perm = Array.isArray(value) ? value : [];
    if (perm.length !== on.shape.length || perm[0] !== 0)
      operation.fail(
        `its axes are ${quoted(value ?? null)}; only orders that leave the batch in front can be read`,
      );
    return operation.add('Permute', { dims: perm.slice(1) }, { on: [on] });
  },
  expandDims: (operation) => {
    const on = only(operation, 'x', 'input');
    const [axis] = axesOf(operation, operation.value(1, 'axis'), on.shape.length + 1);
    return reshape(operation, on, on.shape.toSpliced(axis!, 0, 1).slice(1));
  },
  squeeze: (operation) => {
    const on = only(operation, 'x', 'input');
    const value = operation.value(1, 'axis', 'squeeze_dims');
    const isAll = value == null || (Array.isArray(value) && value.length === 0);
    const axes = isAll
      ? on.shape.flatMap((size, i) => (i > 0 && size === 1 ? [i] : []))
      : axesOf(operation, value, on.shape.length);
    if (axes.some((axis) => on.shape[axis] !== 1)) operation.fail('it drops an axis whose size is not 1');
    return reshape(operation, on, on.shape.filter((_, i) => !axes.includes(i)).slice(1));
  },
  concatenate: (operation) => {
    const on = operation.tensors(0, 'values', 'xs');
    return concatenate(onOne(operation, on), operation.value(1, 'axis') ?? 0);
  },
  stack: (operation) => {
    const on = operation.tensors(0, 'values', 'xs', 'x');
    const rank = on[0]!.shape.length + 1;
    const [axis] = axesOf(operation, operation.value(1, 'axis') ?? 0, rank);
    const wide = on.map(
      (tensor, i) => reshape(operation, tensor, tensor.shape.toSpliced(axis!, 0, 1).slice(1), `${i}`)[0]!,
    );
    return concatenate(onOne(operation, wide), axis!);
  },
  split: (operation) => {
    const parts = operation.value(1, 'num_or_size_splits');
    return split(operation, (size) => {
      if (typeof parts === 'number') return Array.from({ length: parts + 1 }, (_, i) => (i * size) / parts);
      if (!Array.isArray(parts))
        return operation.fail(`it splits into ${quoted(parts)}; expected a number or sizes`);
      let edge = 0;
      return [0, ...parts.map((part) => (edge += Number(part)))];
    });
  },
  /** As NumPy has it: a number of parts, or where they begin. */
  splitAt: (operation) => {
    const parts = operation.value(1, 'indices_or_sections');
    return split(operation, (size) => {
      if (typeof parts === 'number') return Array.from({ length: parts + 1 }, (_, i) => (i * size) / parts);
      if (!Array.isArray(parts))
        return operation.fail(`it splits at ${quoted(parts)}; expected a number or indices`);
      return [0, ...parts.map(Number), size];
    });
  },
  softmax: (operation) => {
    const on = only(operation, 'x', 'logits');
    return softmax(onOne(operation, [on]), operation.value(1, 'axis') ?? -1);
  },
  pad: (operation) => {
    const on = only(operation, 'x', 'tensor');
    const value = operation.value(1, 'pad_width', 'paddings');
    const mode = operation.value(2, 'mode') ?? 'constant';
    const fill = operation.value(3, 'constant_values') ?? 0;
    const pairs = Array.isArray(value) ? value : [];
    const isNone = (pair: Json | undefined) => Array.isArray(pair) && pair.every((n) => n === 0);
    const rank = on.shape.length - 2;
    if (
      String(mode).toLowerCase() !== 'constant' ||
      fill !== 0 ||
      pairs.length !== on.shape.length ||
      rank < 1 ||
      rank > 3 ||
      !isNone(pairs[0]) ||
      !isNone(pairs.at(-1))
    )
      operation.fail('only zeros around the axes between batch and channels can be read; use ZeroPadding2D');
    const padding = pairs.slice(1, -1);
    return operation.add(
      `ZeroPadding${rank}D`,
      { padding: rank === 1 ? padding[0]! : padding },
      { on: [on] },
    );
  },
  cast: (operation) => {
    const on = only(operation, 'x');
    const dtype = String(operation.value(1, 'dtype'));
    if (!/float/.test(dtype)) operation.fail(`it turns numbers into ${dtype}, which cannot be read`);
    return on.dtype === 'float32'
      ? operation.add('Activation', { activation: 'linear' }, { on: [on] })
      : operation.add('Rescaling', { scale: 1, offset: 0 }, { on: [on] });
  },
  resize: (operation) => {
    const on = only(operation, 'images');
    const size = operation.value(1, 'size');
    const method = operation.value(2, 'method', 'interpolation') ?? 'bilinear';
    const [height, width] = Array.isArray(size) ? size : [];
    if (
      (method !== 'bilinear' && method !== 'nearest') ||
      typeof height !== 'number' ||
      typeof width !== 'number'
    )
      operation.fail(
        `it resizes to ${quoted(size)} by ${quoted(method)}; only bilinear and nearest, to constant sizes, can be read`,
      );
    if (operation.value(4, 'antialias') === true)
      operation.fail('it resizes with antialias, which cannot be read');
    return operation.add(
      'GeneralResizing',
      { height: height!, width: width!, interpolation: method },
      { on: [on] },
    );
  },
};
