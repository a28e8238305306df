import * as tf from '@tensorflow/tfjs';
import { channelsFirst, channelsLast } from './general/convolutions.js';
import { one, oneShape, registerLayer } from './tfjs-class.js';

type DataFormat = 'channelsFirst' | 'channelsLast';
type Interpolation = 'bilinear' | 'nearest';

/** As TensorFlow resizes today: pixels are squares, their values stand at the centres. */
function resize(x: tf.Tensor, size: [number, number], interpolation: Interpolation): tf.Tensor {
  const method = interpolation === 'nearest' ? tf.image.resizeNearestNeighbor : tf.image.resizeBilinear;
  return method(x as tf.Tensor4D, size, false, true);
}

interface GeneralResizingConfig {
  height: number;
  width: number;
  interpolation?: Interpolation;
  dataFormat?: DataFormat;
}

/** `Resizing` of a batch of images to one size; tfjs's own takes no batches and puts pixels' values at their corners. */
class GeneralResizing extends tf.layers.Layer {
  static className = 'GeneralResizing';
  private readonly settings: Required<GeneralResizingConfig>;
  constructor({
    height,
    width,
    interpolation = 'bilinear',
    dataFormat = 'channelsLast',
    ...config
  }: GeneralResizingConfig) {
    super(config as object);
    this.settings = { height, width, interpolation, dataFormat };
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    const { height, width, dataFormat } = this.settings;
    return dataFormat === 'channelsFirst'
      ? [shape[0]!, shape[1]!, height, width]
      : [shape[0]!, height, width, shape[3]!];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { height, width, interpolation, dataFormat } = this.settings;
      const x = one(inputs);
      if (dataFormat === 'channelsLast') return resize(x, [height, width], interpolation);
      return channelsFirst(resize(channelsLast(x), [height, width], interpolation));
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings };
  }
}
registerLayer(GeneralResizing);

interface GeneralUpSampling2DConfig {
  /** Factors of height and width. */
  size: [number, number];
  interpolation?: Interpolation;
  dataFormat?: DataFormat;
}

/** `UpSampling2D` as Keras interpolates; tfjs's own puts pixels' values at their corners. */
class GeneralUpSampling2D extends tf.layers.Layer {
  static className = 'GeneralUpSampling2D';
  private readonly settings: Required<GeneralUpSampling2DConfig>;
  constructor({
    size,
    interpolation = 'bilinear',
    dataFormat = 'channelsLast',
    ...config
  }: GeneralUpSampling2DConfig) {
    super(config as object);
    this.settings = { size, interpolation, dataFormat };
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    const space = this.settings.dataFormat === 'channelsFirst' ? 2 : 1;
    const factors = [1, 1, 1, 1];
    factors.splice(space, 2, ...this.settings.size);
    return shape.map((size, i) => (size === null ? null : size * factors[i]!));
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { size, interpolation, dataFormat } = this.settings;
      const first = dataFormat === 'channelsFirst';
      const x = first ? channelsLast(one(inputs)) : one(inputs);
      const y = resize(x, [x.shape[1]! * size[0], x.shape[2]! * size[1]], interpolation);
      return first ? channelsFirst(y) : y;
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings };
  }
}
registerLayer(GeneralUpSampling2D);

/** Each entry of the axis `times` times. */
function repeat(x: tf.Tensor, axis: number, times: number): tf.Tensor {
  const shape = x.shape;
  const split = tf.reshape(x, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
  const factors = split.shape.map((_, i) => (i === axis + 1 ? times : 1));
  return tf.reshape(
    tf.tile(split, factors),
    shape.map((size, i) => (i === axis ? size * times : size)),
  );
}

/** Keras's `UpSampling1D`: every step `size` times. */
class UpSampling1D extends tf.layers.Layer {
  static className = 'UpSampling1D';
  private readonly size: number;
  constructor({ size, ...config }: { size: number }) {
    super(config as object);
    this.size = size;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return [shape[0]!, shape[1] === null ? null : shape[1]! * this.size, shape[2]!];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => repeat(one(inputs), 1, this.size));
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), size: this.size };
  }
}
registerLayer(UpSampling1D);

/** Keras's `UpSampling3D`: every voxel as a block of `size`. */
class UpSampling3D extends tf.layers.Layer {
  static className = 'UpSampling3D';
  private readonly size: number[];
  private readonly dataFormat: DataFormat;
  constructor({
    size,
    dataFormat = 'channelsLast',
    ...config
  }: {
    size: number[];
    dataFormat?: DataFormat;
  }) {
    super(config as object);
    [this.size, this.dataFormat] = [size, dataFormat];
  }
  private get space(): number {
    return this.dataFormat === 'channelsFirst' ? 2 : 1;
  }
  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    return oneShape(shape).map((length, i) =>
      length === null ? null : length * (this.size[i - this.space] ?? 1),
    );
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      let y = one(inputs);
      this.size.forEach((times, i) => {
        if (times > 1) y = repeat(y, this.space + i, times);
      });
      return y;
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), size: this.size, dataFormat: this.dataFormat };
  }
}
registerLayer(UpSampling3D);
