import * as tf from '@tensorflow/tfjs';
import { one, oneShape, registerLayer, type TfjsLayer, tfjsClass } from '../tfjs-class.js';

/** From channels first to channels last, and back. */
export function channelsLast(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, [0, ...Array.from({ length: x.rank - 2 }, (_, i) => i + 2), 1]);
}
export function channelsFirst(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, [0, x.rank - 1, ...Array.from({ length: x.rank - 2 }, (_, i) => i + 1)]);
}

/** Bias and activation, as a convolution ends, of channels that come last; then as the layer has its channels. */
function finish(layer: TfjsLayer, output: tf.Tensor): tf.Tensor {
  let y = layer.bias ? tf.add(output, layer.bias.read()) : output;
  if (layer.dataFormat === 'channelsFirst') y = channelsFirst(y);
  return layer.activation ? layer.activation.apply(y) : y;
}

type Sizes2d = [number, number];
type Sizes3d = [number, number, number];

function convolve(layer: TfjsLayer, x: tf.Tensor, kernel: tf.Tensor): tf.Tensor {
  const { rank, strides, padding, dilationRate } = layer;
  if (rank === 1)
    return tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, strides[0]!, padding, 'NWC', dilationRate[0]!);
  if (rank === 2)
    return tf.conv2d(
      x as tf.Tensor4D,
      kernel as tf.Tensor4D,
      strides as Sizes2d,
      padding,
      'NHWC',
      dilationRate as Sizes2d,
    );
  return tf.conv3d(
    x as tf.Tensor5D,
    kernel as tf.Tensor5D,
    strides as Sizes3d,
    padding,
    'NDHWC',
    dilationRate as Sizes3d,
  );
}

for (const rank of [1, 2, 3]) {
  /** `Conv1D`, `Conv2D` or `Conv3D` in `groups` groups of channels, each read by filters of its own; tfjs's own knows one group. */
  class GeneralConv extends tfjsClass(`Conv${rank}D`) {
    static className = `GeneralConv${rank}D`;
    private readonly groups: number;
    constructor({ groups = 1, ...config }: { groups?: number }) {
      super(config);
      this.groups = groups;
    }
    override build(shape: tf.Shape | tf.Shape[]): void {
      const input = oneShape(shape);
      const channels = input[this.dataFormat === 'channelsFirst' ? 1 : input.length - 1]!;
      this.kernel = this.addWeight(
        'kernel',
        [...this.kernelSize, channels / this.groups, this.filters],
        'float32',
        this.kernelInitializer,
        this.kernelRegularizer,
        true,
        this.kernelConstraint,
      );
      if (this.useBias)
        this.bias = this.addWeight(
          'bias',
          [this.filters],
          'float32',
          this.biasInitializer,
          this.biasRegularizer,
          true,
          this.biasConstraint,
        );
      this.built = true;
    }
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.tidy(() => {
        const given = one(inputs);
        const x = this.dataFormat === 'channelsFirst' ? channelsLast(given) : given;
        const kernels = tf.split(this.kernel.read(), this.groups, -1);
        const parts = tf.split(x, this.groups, x.rank - 1);
        return finish(
          this,
          tf.concat(
            parts.map((part, g) => convolve(this, part, kernels[g]!)),
            x.rank - 1,
          ),
        );
      });
    }
    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), groups: this.groups };
    }
  }
  registerLayer(GeneralConv);
}

/** Length of a convolution's output; null where the input's is open. */
function convolved(
  length: number | null,
  kernel: number,
  padding: string,
  stride: number,
  dilation: number,
): number | null {
  if (length === null) return null;
  const covered = padding === 'same' ? length : length - (kernel - 1) * dilation;
  return Math.ceil(covered / stride);
}

/** `DepthwiseConv2D` that heeds its `dilationRate`; tfjs's own runs undilated. */
class GeneralDepthwiseConv2D extends tfjsClass('DepthwiseConv2D') {
  static className = 'GeneralDepthwiseConv2D';
  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    const output = [...oneShape(super.computeOutputShape(shape))];
    const space = this.dataFormat === 'channelsFirst' ? 2 : 1;
    for (const i of [0, 1])
      output[space + i] = convolved(
        oneShape(shape)[space + i] ?? null,
        this.kernelSize[i]!,
        this.padding,
        this.strides[i]!,
        this.dilationRate[i]!,
      );
    return output;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const given = one(inputs);
      const x = this.dataFormat === 'channelsFirst' ? channelsLast(given) : given;
      const { strides, padding, dilationRate } = this;
      const kernel = this.depthwiseKernel.read() as tf.Tensor4D;
      return finish(
        this,
        tf.depthwiseConv2d(
          x as tf.Tensor4D,
          kernel,
          strides as Sizes2d,
          padding,
          'NHWC',
          dilationRate as Sizes2d,
        ),
      );
    });
  }
}
registerLayer(GeneralDepthwiseConv2D);

/** Keras's rule for the length of a transposed convolution's output. */
export function transposedLength(
  length: number,
  kernel: number,
  stride: number,
  padding: string,
  extra: number | null,
): number {
  if (extra !== null) {
    const cut = padding === 'same' ? 2 * Math.floor(kernel / 2) : 0;
    return (length - 1) * stride + kernel - cut + extra;
  }
  return padding === 'same' ? length * stride : length * stride + Math.max(kernel - stride, 0);
}

for (const rank of [2, 3]) {
  /** `Conv2DTranspose` or `Conv3DTranspose` with `outputPadding`, sizes that are added to the output; tfjs's own leaves it out. */
  class GeneralConvTranspose extends tfjsClass(`Conv${rank}DTranspose`) {
    static className = `GeneralConv${rank}DTranspose`;
    private readonly outputPadding: number[] | null;
    constructor({ outputPadding = null, ...config }: { outputPadding?: number[] | null }) {
      super(config);
      this.outputPadding = outputPadding;
    }
    private outputSizes(sizes: (number | null)[]): (number | null)[] {
      return sizes.map((size, i) =>
        size === null
          ? null
          : transposedLength(
              size,
              this.kernelSize[i]!,
              this.strides[i]!,
              this.padding,
              this.outputPadding?.[i] ?? null,
            ),
      );
    }
    override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
      const input = oneShape(shape);
      return this.dataFormat === 'channelsFirst'
        ? [input[0]!, this.filters, ...this.outputSizes(input.slice(2))]
        : [input[0]!, ...this.outputSizes(input.slice(1, -1)), this.filters];
    }
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.tidy(() => {
        const given = one(inputs);
        const x = this.dataFormat === 'channelsFirst' ? channelsLast(given) : given;
        const shape = [x.shape[0]!, ...this.outputSizes(x.shape.slice(1, -1)), this.filters] as number[];
        const kernel = this.kernel.read();
        const { strides, padding } = this;
        const y: tf.Tensor =
          rank === 2
            ? tf.conv2dTranspose(
                x as tf.Tensor4D,
                kernel as tf.Tensor4D,
                shape as [number, number, number, number],
                strides as Sizes2d,
                padding,
              )
            : tf.conv3dTranspose(
                x as tf.Tensor5D,
                kernel as tf.Tensor5D,
                shape as [number, number, number, number, number],
                strides as Sizes3d,
                padding,
              );
        return finish(this, y);
      });
    }
    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), outputPadding: this.outputPadding };
    }
  }
  registerLayer(GeneralConvTranspose);
}
