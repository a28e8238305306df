/**
 * The baseline: what is missing in tfjs-backend-wasm put together from its own kernels in the obvious way, with transposes, pads and
 * reversals as it has them. The gradients' formulas are those of `src/wasm`.
 *
 * @param {typeof import('@tensorflow/tfjs')} tf with the stock wasm kernels registered
 * @returns kernel configs for the wasm backend
 */
export function naiveKernels(tf) {
  const stock = new Map(tf.getKernelsForBackend('wasm').map((config) => [config.kernelName, config]));
  const run = (name, inputs, attrs) => stock.get(name).kernelFunc({ inputs, attrs, backend: tf.backend() });
  const release = (...tensors) => {
    for (const { dataId } of tensors) tf.backend().disposeData(dataId);
  };
  const infoOf = (xShape, filterShape, { strides, pad, dimRoundingMode }) =>
    tf.backend_util.computeConv2DInfo(xShape, filterShape, strides, 1, pad, dimRoundingMode, false);
  const conv = (x, filter, dilations) =>
    run('Conv2D', { x, filter }, { strides: [1, 1], pad: 'valid', dilations, dataFormat: 'NHWC' });
  const pad = (x, top, bottom, left, right) =>
    run(
      'PadV2',
      { x },
      {
        paddings: [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ],
        constantValue: 0,
      },
    );
  const transpose = (x, perm) => run('Transpose', { x }, { perm });

  return [
    {
      kernelName: 'Conv2DBackpropFilter',
      kernelFunc({ inputs: { x, dy }, attrs }) {
        const { filterShape } = attrs;
        const { padInfo: p, strideHeight, strideWidth } = infoOf(x.shape, filterShape, attrs);
        const padded = pad(x, p.top, p.bottom, p.left, p.right);
        const image = transpose(padded, [3, 1, 2, 0]);
        const filter = transpose(dy, [1, 2, 0, 3]);
        const product = conv(image, filter, [strideHeight, strideWidth]);
        const size = [filterShape[2], filterShape[0], filterShape[1], filterShape[3]];
        const cut = run('Slice', { x: product }, { begin: [0, 0, 0, 0], size });
        const dw = transpose(cut, [1, 2, 0, 3]);
        release(padded, image, filter, product, cut);
        return dw;
      },
    },
    {
      kernelName: 'Conv2DBackpropInput',
      kernelFunc(args) {
        const { dy, filter } = args.inputs;
        const info = infoOf(args.attrs.inputShape, filter.shape, args.attrs);
        if (info.strideHeight !== 1 || info.strideWidth !== 1)
          return stock.get('Conv2DBackpropInput').kernelFunc(args);
        const [h, w] = filter.shape;
        const { top, bottom, left, right } = info.padInfo;
        const padded = pad(dy, h - 1 - top, h - 1 - bottom, w - 1 - left, w - 1 - right);
        const reversed = run('Reverse', { x: filter }, { dims: [0, 1] });
        const turned = transpose(reversed, [0, 1, 3, 2]);
        const dx = conv(padded, turned, [1, 1]);
        release(padded, reversed, turned);
        return dx;
      },
    },
    {
      kernelName: 'BatchMatMul',
      kernelFunc({ inputs: { a, b }, attrs, backend }) {
        const turn = (x) => {
          const rank = x.shape.length;
          return transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
        };
        const left = attrs.transposeA ? turn(a) : a;
        const right = attrs.transposeB ? turn(b) : b;
        const product = stock.get('BatchMatMul').kernelFunc({
          inputs: { a: left, b: right },
          attrs: { transposeA: false, transposeB: false },
          backend,
        });
        if (left !== a) release(left);
        if (right !== b) release(right);
        return product;
      },
    },
  ].map((config) => ({ ...config, backendName: 'wasm', setupFunc: stock.get(config.kernelName)?.setupFunc }));
}
