import type * as tf from '@tensorflow/tfjs';
import { isFloat, merge, type Part, project, put } from './joins.js';
import { pick, type Sketch, shapeOf } from './sketch.js';

type Tensor = tf.SymbolicTensor;
type Config = Record<string, unknown>;

const image = (sketch: Sketch, from: number | undefined) =>
  pick(sketch, from, (x) => isFloat(x) && x.shape.length === 4);
const channels = (x: Tensor) => shapeOf(x).at(-1)!;
const sameShape = (a: Tensor, b: Tensor | undefined) =>
  b !== undefined && String(a.shape) === String(b.shape);

/** What people write: convolution, batch norm and activation, in one of their orders; `noise` behind it where it is wanted. */
const unit =
  (sketch: Sketch, { norm = true, activation = 'relu' }: { norm?: boolean; activation?: string } = {}) =>
  (x: Tensor | undefined, kind: string, config: Config) => {
    const y = put(sketch, x, kind, { padding: 'same', useBias: !norm, ...config });
    const normal = norm ? put(sketch, y, 'batchNormalization', { fromEnd: 1 }) : y;
    const active = activation === 'linear' ? normal : put(sketch, normal, 'activation', { activation });
    return noisy(sketch, active);
  };

const noisy = (sketch: Sketch, x: Tensor | undefined) => (sketch.noisy ? put(sketch, x, 'noise') : x);

/** ResNet's block: two convolutions, or three with a bottleneck, beside the identity or a projection. */
const resNet: Part = (sketch, { filters, strides, bottleneck, preactivation, gated }, [from]) => {
  const x = image(sketch, from);
  if (!x) return undefined;
  const width = filters === 0 ? channels(x) : Number(filters);
  const start = preactivation ? bnRelu(sketch, x) : x;
  const add = unit(sketch);
  const inner = bottleneck
    ? add(add(start, 'conv2d', { filters: Math.ceil(width / 2), kernelSize: 1 }), 'conv2d', {
        filters: Math.ceil(width / 2),
        kernelSize: 3,
        strides,
      })
    : add(start, 'conv2d', { filters: width, kernelSize: 3, strides });
  const last = bottleneck ? 1 : 3;
  const made = preactivation
    ? put(sketch, inner, 'conv2d', { filters: width, kernelSize: last, padding: 'same' })
    : unit(sketch, { activation: 'linear' })(inner, 'conv2d', { filters: width, kernelSize: last });
  const body = made && gated ? (excite(sketch, made, 2, false) ?? made) : made;
  const shortcut = sameShape(x, body)
    ? x
    : unit(sketch, { activation: 'linear', norm: !preactivation })(start, 'conv2d', {
        filters: width,
        kernelSize: 1,
        strides,
      });
  const sum = merge(sketch, 'add', [body, shortcut]);
  return preactivation ? sum : noisy(sketch, put(sketch, sum, 'activation', { activation: 'relu' }));
};

const bnRelu = (sketch: Sketch, x: Tensor | undefined) =>
  noisy(
    sketch,
    put(sketch, put(sketch, x, 'batchNormalization', { fromEnd: 1 }), 'activation', { activation: 'relu' }),
  );

/** MobileNetV2's inverted residual, and with a gate MobileNetV3's and EfficientNet's. */
const mobileNet: Part = (sketch, { filters, strides, expand, gated, activation }, [from]) => {
  const x = image(sketch, from);
  if (!x) return undefined;
  const width = filters === 0 ? channels(x) : Number(filters);
  const add = unit(sketch, { activation: String(activation) });
  const wide = add(x, 'conv2d', { filters: channels(x) * Number(expand), kernelSize: 1 });
  const deep = add(wide, 'depthwiseConv2d', { kernelSize: 3, strides });
  const gate = deep && gated ? (excite(sketch, deep, 2, true) ?? deep) : deep;
  const y = unit(sketch, { activation: 'linear' })(gate, 'conv2d', { filters: width, kernelSize: 1 });
  return sameShape(x, y) ? merge(sketch, 'add', [x, y]) : y;
};

/** DenseNet's block, with a transition behind it. */
const denseNet: Part = (sketch, { filters, layers, transition }, [from]) => {
  let x = image(sketch, from);
  for (let i = 0; x && i < Number(layers); i++) {
    const grown = put(sketch, bnRelu(sketch, x), 'conv2d', { filters, kernelSize: 3, padding: 'same' });
    x = merge(sketch, 'concatenate', [x, grown], { axis: -1 });
  }
  if (!x || !transition) return x;
  const thin = put(sketch, bnRelu(sketch, x), 'conv2d', {
    filters: Math.ceil(channels(x) / 2),
    kernelSize: 1,
  });
  return put(sketch, thin, 'averagePooling2d', { poolSize: 2, strides: 2, padding: 'same' });
};

/** One level of a U-Net: down, across, up by nearest neighbours or a transposed convolution, beside what was there before. */
const uNet: Part = (sketch, { filters, transposed, op, norm }, [from]) => {
  const x = image(sketch, from);
  if (!x) return undefined;
  const add = unit(sketch, { norm: Boolean(norm) });
  const width = Number(filters);
  const skip = add(x, 'conv2d', { filters: width, kernelSize: 3 });
  const down = put(sketch, skip, 'maxPooling2d', { poolSize: 2, strides: 2 });
  const deep = add(down, 'conv2d', { filters: width * 2, kernelSize: 3 });
  const up = transposed
    ? put(sketch, deep, 'conv2dTranspose', { filters: width, kernelSize: 2, strides: 2, padding: 'same' })
    : add(put(sketch, deep, 'upSampling2d', { size: [2, 2] }), 'conv2d', { filters: width, kernelSize: 2 });
  // Odd sizes do not come back; then there is nothing to join.
  const both = sameShape(skip!, up)
    ? merge(sketch, String(op), [skip, up], op === 'concatenate' ? { axis: -1 } : {})
    : up;
  return add(both, 'conv2d', { filters: width, kernelSize: 3 });
};

/** Squeeze and excitation, with dense layers or 1×1 convolutions. */
function excite(sketch: Sketch, x: Tensor, ratio: number, byConv: boolean): Tensor | undefined {
  const width = channels(x);
  const pooled = put(sketch, x, 'globalAveragePooling2d');
  const hidden = Math.ceil(width / ratio);
  const spread = (y: Tensor | undefined) => put(sketch, y, 'reshape', { into: 'image' });
  const gate = byConv
    ? put(
        sketch,
        noisy(
          sketch,
          put(sketch, spread(pooled), 'conv2d', { filters: hidden, kernelSize: 1, activation: 'relu' }),
        ),
        'conv2d',
        { filters: width, kernelSize: 1, activation: 'sigmoid' },
      )
    : spread(
        put(
          sketch,
          noisy(sketch, put(sketch, pooled, 'dense', { units: hidden, activation: 'relu' })),
          'dense',
          {
            units: width,
            activation: 'sigmoid',
            useBias: false,
          },
        ),
      );
  return merge(sketch, 'multiply', [x, gate]);
}

const squeezeExcite: Part = (sketch, { ratio, byConv }, [from]) => {
  const x = image(sketch, from);
  return x && excite(sketch, x, Number(ratio), Boolean(byConv));
};

/** One number for each place multiplies all channels there. */
const spatialGate: Part = (sketch, { kernelSize }, [from]) => {
  const x = image(sketch, from);
  const gate = put(sketch, x, 'conv2d', { filters: 1, kernelSize, padding: 'same', activation: 'sigmoid' });
  return merge(sketch, 'multiply', [x, gate]);
};

/** Inception's block: convolutions of several sizes and a pooling side by side. */
const inception: Part = (sketch, { filters, strides, pooling }, [from]) => {
  const x = image(sketch, from);
  if (!x) return undefined;
  const add = unit(sketch);
  const width = Number(filters);
  const branches = [
    add(x, 'conv2d', { filters: width, kernelSize: 1, strides }),
    add(add(x, 'conv2d', { filters: width, kernelSize: 1 }), 'conv2d', {
      filters: width + 1,
      kernelSize: 3,
      strides,
    }),
    add(put(sketch, x, String(pooling), { poolSize: 3, strides, padding: 'same' }), 'conv2d', {
      filters: 2,
      kernelSize: 1,
    }),
  ];
  return merge(sketch, 'concatenate', branches, { axis: -1 });
};

/** ConvNeXt's block: depthwise, layer norm, dense on channels, and back. */
const convNext: Part = (sketch, { expand, activation }, [from]) => {
  const x = image(sketch, from);
  if (!x) return undefined;
  const deep = put(sketch, x, 'depthwiseConv2d', { kernelSize: 3, padding: 'same' });
  const normal = put(sketch, deep, 'layerNormalization', { axes: 'last' });
  const wide = put(sketch, normal, 'dense', { units: channels(x) * Number(expand), activation });
  return merge(sketch, 'add', [x, project(sketch, noisy(sketch, wide), channels(x))]);
};

/** Several sizes of convolution over words, each pooled over time. */
const textCnn: Part = (sketch, { filters }, [from]) => {
  const x = pick(sketch, from, (a) => isFloat(a) && a.shape.length === 3);
  if (!x) return undefined;
  const branches = [1, 2, 3].map((kernelSize) =>
    put(
      sketch,
      noisy(sketch, put(sketch, x, 'conv1d', { filters, kernelSize, padding: 'same', activation: 'relu' })),
      'globalMaxPooling1d',
    ),
  );
  return merge(sketch, 'concatenate', branches);
};

/** A residual of dilated convolutions over time. */
const temporal: Part = (sketch, { filters, dilationRate }, [from]) => {
  const x = pick(sketch, from, (a) => isFloat(a) && a.shape.length === 3);
  if (!x) return undefined;
  const settings = { kernelSize: 2, dilationRate, padding: 'same', activation: 'relu' };
  const inside = noisy(sketch, put(sketch, x, 'conv1d', { ...settings, filters }));
  const y = put(sketch, inside, 'conv1d', { ...settings, filters: channels(x) });
  return merge(sketch, 'add', [x, y]);
};

/** A residual of dense layers, on any rank: the feed-forward half of a transformer. */
const feedForward: Part = (sketch, { units, before, activation }, [from]) => {
  const x = pick(sketch, from, isFloat);
  const start =
    before && x && x.shape.length < 5 ? put(sketch, x, 'layerNormalization', { axes: 'last' }) : x;
  const wide = noisy(sketch, put(sketch, start, 'dense', { units, activation }));
  return merge(sketch, 'add', [x, x && put(sketch, wide, 'dense', { units: channels(x) })]);
};

export const blocks: Readonly<Record<string, Part>> = {
  resNet,
  mobileNet,
  denseNet,
  uNet,
  squeezeExcite,
  spatialGate,
  inception,
  convNext,
  textCnn,
  temporal,
  feedForward,
};
