import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from '../engine.js';
import {
  type ConvCase,
  convCases,
  expectAgreement,
  runs,
  seeds,
  valueAndGradients,
  values,
} from './against-cpu.test-support.js';
import { inParts, multiplyWindows, slideGradient } from './conv2d-backprop-filter.js';
import { convolve, multiplyAndFold } from './conv2d-backprop-input.js';
import { blockOf, floats, type WasmBackend, withScratch } from './heap.js';

const inputs = (c: ConvCase): [tf.Tensor4D, tf.Tensor4D] => [
  values([c.batch, c.height, c.width, c.inChannels], c.seed) as tf.Tensor4D,
  values([c.filterHeight, c.filterWidth, c.inChannels, c.outChannels], c.seed + 1) as tf.Tensor4D,
];

describe('convolutions on wasm agree with cpu', () => {
  it('conv2d and both gradients, any shapes, strides and paddings', async () => {
    await fc.assert(
      fc.asyncProperty(convCases, (c) =>
        expectAgreement(() =>
          valueAndGradients(
            (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, c.strides, c.pad),
            inputs(c),
            c.seed,
          ),
        ),
      ),
      { numRuns: 2 * runs },
    );
  });

  it('fused conv2d with bias, and its gradients', async () => {
    await fc.assert(
      fc.asyncProperty(convCases, (c) =>
        expectAgreement(() =>
          valueAndGradients(
            (x, filter, bias) =>
              tf.fused.conv2d({
                x: x as tf.Tensor4D,
                filter: filter as tf.Tensor4D,
                bias,
                strides: c.strides,
                pad: c.pad,
                activation: 'linear',
              }),
            [...inputs(c), values([c.outChannels], c.seed + 2)],
            c.seed,
          ),
        ),
      ),
      { numRuns: runs },
    );
  });

  it('fused conv2d with an activation', async () => {
    const cases = fc.tuple(convCases, fc.constantFrom('relu', 'relu6', 'elu', 'sigmoid'));
    await fc.assert(
      fc.asyncProperty(cases, ([c, activation]) =>
        expectAgreement(() => {
          const [x, filter] = inputs(c);
          const bias = values([c.outChannels], c.seed + 2);
          return [
            tf.fused.conv2d({
              x,
              filter,
              bias,
              strides: c.strides,
              pad: c.pad,
              activation: activation as 'relu',
            }),
          ];
        }),
      ),
      { numRuns: runs },
    );
  });

  it('dilated conv2d', async () => {
    const cases = fc.tuple(convCases, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
    await fc.assert(
      fc.asyncProperty(cases, ([c, dh, dw]) =>
        expectAgreement(() => {
          const height = Math.max(c.height, (c.filterHeight - 1) * dh + 1);
          const width = Math.max(c.width, (c.filterWidth - 1) * dw + 1);
          const [x, w] = inputs({ ...c, height, width });
          return [tf.conv2d(x, w, 1, c.pad, 'NHWC', [dh, dw])];
        }),
      ),
      { numRuns: runs },
    );
  });

  it('conv2dTranspose and its gradients', async () => {
    const cases = convCases.map((c) => ({
      ...c,
      pad: typeof c.pad === 'string' ? c.pad : ('same' as const),
    }));
    await fc.assert(
      fc.asyncProperty(cases, (c) =>
        expectAgreement(() => {
          const [x, w] = inputs(c);
          const outShape = x.shape as [number, number, number, number];
          const small = tf.conv2d(x, w, c.strides, c.pad);
          return valueAndGradients(
            (y, filter) =>
              tf.conv2dTranspose(y as tf.Tensor4D, filter as tf.Tensor4D, outShape, c.strides, c.pad),
            [small, w],
            c.seed,
          );
        }),
      ),
      { numRuns: runs },
    );
  });

  it('depthwise and separable conv2d and their gradients', async () => {
    const cases = fc.tuple(convCases, fc.integer({ min: 1, max: 3 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(cases, ([c, multiplier, separable]) =>
        expectAgreement(() => {
          const [x] = inputs(c);
          const w = values([c.filterHeight, c.filterWidth, c.inChannels, multiplier], c.seed + 1);
          const point = values([1, 1, c.inChannels * multiplier, c.outChannels], c.seed + 2);
          const conv = (...t: tf.Tensor[]) => {
            const [x, w, point] = t as tf.Tensor4D[];
            return separable
              ? tf.separableConv2d(x!, w!, point!, c.strides, typeof c.pad === 'string' ? c.pad : 'same')
              : tf.depthwiseConv2d(x!, w!, c.strides, c.pad);
          };
          return valueAndGradients(conv, separable ? [x, w, point] : [x, w], c.seed);
        }),
      ),
      { numRuns: runs },
    );
  });

  // tfjs' own gradient refuses dilations and the cpu backend's kernels leave them out, so the kernels are checked by what defines
  // them: dy · conv(x, w) is linear in x and in w, with dx and dw as the coefficients.
  it("depthwise conv2d's gradient kernels with dilations", async () => {
    await useEngine('wasm');
    const rate = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(convCases, rate, rate, rate, (c, multiplier, dilationHeight, dilationWidth) => {
        tf.tidy(() => {
          const height = Math.max(c.height, (c.filterHeight - 1) * dilationHeight + 1);
          const width = Math.max(c.width, (c.filterWidth - 1) * dilationWidth + 1);
          const x = values([c.batch, height, width, c.inChannels], c.seed) as tf.Tensor4D;
          const filter = values(
            [c.filterHeight, c.filterWidth, c.inChannels, multiplier],
            c.seed + 1,
          ) as tf.Tensor4D;
          const dilations: [number, number] = [dilationHeight, dilationWidth];
          const conv = (x: tf.Tensor4D, w: tf.Tensor4D) =>
            tf.depthwiseConv2d(x, w, 1, c.pad, 'NHWC', dilations);
          const dy = values(conv(x, filter).shape, c.seed + 2) as tf.Tensor4D;
          const attrs = { strides: 1, pad: c.pad as 'same', dilations, dimRoundingMode: null! };
          const run = (name: string, inputs: tf.NamedTensorMap, more: tf.NamedAttrMap) =>
            tf.engine().runKernel(name, inputs, { ...attrs, ...more }) as tf.Tensor4D;
          const dx = run('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { inputShape: x.shape });
          const dw = run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { filterShape: filter.shape });
          const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b)).dataSync()[0]!;
          const otherX = values(x.shape, c.seed + 3) as tf.Tensor4D;
          const otherFilter = values(filter.shape, c.seed + 4) as tf.Tensor4D;
          expect(dot(dx, otherX)).toBeCloseTo(dot(dy, conv(otherX, filter)), 3);
          expect(dot(dw, otherFilter)).toBeCloseTo(dot(dy, conv(x, otherFilter)), 3);
        });
      }),
      { numRuns: runs },
    );
  });
});

// Which formulation a kernel takes depends on sizes beyond those of the tests above, so each is tried on every small shape here.
describe('every formulation of a gradient gives the same', () => {
  beforeAll(async () => {
    await useEngine('wasm');
  });

  const infoOf = (c: ConvCase, [x, w]: [tf.Tensor4D, tf.Tensor4D]) =>
    tf.backend_util.computeConv2DInfo(x.shape, w.shape, c.strides, 1, c.pad as 'same');
  const backend = () => tf.backend() as unknown as WasmBackend;
  const block = (tensor: tf.Tensor) => blockOf(backend(), tensor);

  function expectSame(actual: tf.Tensor, expected: tf.Tensor): void {
    const worst = tf.tidy(() => tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0]!);
    const scale = tf.tidy(() => tf.max(tf.abs(expected)).dataSync()[0]!);
    expect(worst).toBeLessThanOrEqual(2e-5 * Math.max(1, scale));
  }

  it('of the filter: windows times dy, x over dy, whole or in parts of the batch', () => {
    fc.assert(
      fc.property(convCases, seeds, fc.boolean(), (c, pick, parts) => {
        tf.tidy(() => {
          const tensors = inputs(c);
          const info = infoOf(c, tensors);
          const dy = values(info.outShape, c.seed + 3) as tf.Tensor4D;
          const dw = tf.fill(tensors[1].shape, Number.NaN);
          const divisors = [...Array(info.outWidth + 1).keys()].filter(
            (u) => u > 0 && info.outWidth % u === 0,
          );
          const unit = divisors[pick % divisors.length]!;
          const slides = info.strideHeight === 1 && info.strideWidth === 1 && pick % 2 === 0;
          inParts(
            backend(),
            { x: block(tensors[0]), dy: block(dy), dw: block(dw) },
            info,
            parts ? 2 : c.batch,
            (...part) => (slides ? slideGradient(...part, unit) : multiplyWindows(...part)),
          );
          expectSame(
            dw,
            tf.grads((_, w) => tf.conv2d(tensors[0], w as tf.Tensor4D, c.strides, c.pad))(
              [...tensors],
              dy,
            )[1]!,
          );
        });
      }),
      { numRuns: 3 * runs },
    );
  });

  it('of the input: as a convolution, or multiplied and folded, whole or in parts', () => {
    fc.assert(
      fc.property(convCases, fc.boolean(), fc.boolean(), (c, parts, ones) => {
        const strides: [number, number] = ones ? [1, 1] : c.strides;
        tf.tidy(() => {
          const tensors = inputs(c);
          const info = infoOf({ ...c, strides }, tensors);
          const { padInfo: p } = info;
          const dy = values(info.outShape, c.seed + 3) as tf.Tensor4D;
          const folded = tf.fill(tensors[0].shape, Number.NaN);
          const blocks = { dy: block(dy), filter: block(tensors[1]) };
          withScratch(backend(), (scratch) =>
            multiplyAndFold(
              backend(),
              scratch,
              { ...blocks, dx: block(folded) },
              info,
              parts ? 1 : undefined,
            ),
          );
          const expected = tf.grads((x) => tf.conv2d(x as tf.Tensor4D, tensors[1], strides, c.pad))(
            [tensors[0]],
            dy,
          )[0]!;
          expectSame(folded, expected);
          const fits =
            Math.max(p.top, p.bottom) < c.filterHeight && Math.max(p.left, p.right) < c.filterWidth;
          if (!ones || !fits) return;
          const convolved = tf.fill(tensors[0].shape, Number.NaN);
          withScratch(backend(), (scratch) =>
            convolve(backend(), scratch, { ...blocks, dx: block(convolved) }, info),
          );
          expectSame(convolved, expected);
        });
      }),
      { numRuns: 2 * runs },
    );
  });

  it('leaves scratch memory behind neither after success nor after an error', () => {
    const before = backend().wasm._malloc(64);
    backend().wasm._free(before);
    expect(() =>
      withScratch(backend(), (scratch) => {
        floats(backend(), scratch.allocate(16)).fill(1);
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    const after = backend().wasm._malloc(64);
    backend().wasm._free(after);
    expect(after).toBe(before);
  });
});
