import * as tf from '@tensorflow/tfjs';
import { one, oneShape, registerLayer, tfjsClass } from './tfjs-class.js';

/** Before and after, along one axis. */
type Ends = [number, number];
type DataFormat = 'channelsFirst' | 'channelsLast';

/** A pair for each axis of the tensor, [0, 0] where nothing happens. */
function everyAxis(ends: readonly Ends[], dataFormat: DataFormat): Ends[] {
  const none: Ends = [0, 0];
  return dataFormat === 'channelsFirst' ? [none, none, ...ends] : [none, ...ends, none];
}

function padded(shape: tf.Shape, ends: readonly Ends[]): tf.Shape {
  return shape.map((size, i) => (size === null ? null : size + ends[i]![0] + ends[i]![1]));
}

function cropped(shape: tf.Shape, ends: readonly Ends[]): tf.Shape {
  return padded(
    shape,
    ends.map(([before, after]) => [-before, -after]),
  );
}

function crop(x: tf.Tensor, ends: readonly Ends[]): tf.Tensor {
  const begin = ends.map(([before]) => before);
  return tf.slice(x, begin, cropped(x.shape, ends) as number[]);
}

for (const rank of [1, 3]) {
  /** Keras's `ZeroPadding1D` and `ZeroPadding3D`. */
  class ZeroPadding extends tf.layers.Layer {
    static className = `ZeroPadding${rank}D`;
    private readonly padding: Ends[];
    private readonly dataFormat: DataFormat;
    constructor({
      padding,
      dataFormat = 'channelsLast',
      ...config
    }: {
      padding: Ends | Ends[];
      dataFormat?: DataFormat;
    }) {
      super(config as object);
      this.padding = (rank === 1 ? [padding] : padding) as Ends[];
      this.dataFormat = dataFormat;
    }
    override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
      return padded(oneShape(shape), everyAxis(this.padding, this.dataFormat));
    }
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.tidy(() => tf.pad(one(inputs), everyAxis(this.padding, this.dataFormat)));
    }
    override getConfig(): tf.serialization.ConfigDict {
      return {
        ...super.getConfig(),
        padding: rank === 1 ? this.padding[0]! : this.padding,
        dataFormat: this.dataFormat,
      };
    }
  }
  registerLayer(ZeroPadding);

  /** Keras's `Cropping1D` and `Cropping3D`. */
  class Cropping extends tf.layers.Layer {
    static className = `Cropping${rank}D`;
    private readonly cropping: Ends[];
    private readonly dataFormat: DataFormat;
    constructor({
      cropping,
      dataFormat = 'channelsLast',
      ...config
    }: {
      cropping: Ends | Ends[];
      dataFormat?: DataFormat;
    }) {
      super(config as object);
      this.cropping = (rank === 1 ? [cropping] : cropping) as Ends[];
      this.dataFormat = dataFormat;
    }
    override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
      return cropped(oneShape(shape), everyAxis(this.cropping, this.dataFormat));
    }
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.tidy(() => crop(one(inputs), everyAxis(this.cropping, this.dataFormat)));
    }
    override getConfig(): tf.serialization.ConfigDict {
      return {
        ...super.getConfig(),
        cropping: rank === 1 ? this.cropping[0]! : this.cropping,
        dataFormat: this.dataFormat,
      };
    }
  }
  registerLayer(Cropping);
}

/** `Cropping2D` of images whose size is open; tfjs's own takes an open size for 0. */
class GeneralCropping2D extends tfjsClass('Cropping2D') {
  static className = 'GeneralCropping2D';
  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    return cropped(oneShape(shape), everyAxis(this.cropping, this.dataFormat));
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => crop(one(inputs), everyAxis(this.cropping, this.dataFormat)));
  }
}
registerLayer(GeneralCropping2D);

interface SliceConfig {
  /** Where each axis but the batch begins; negative numbers count from its end. */
  begin: number[];
  /** Where it ends, that index not included; null for all of it. */
  end: (number | null)[];
  strides: number[];
  /** Axes of size 1, counted with the batch, that go afterwards. */
  squeeze?: number[];
}

/** A part of a tensor, as Python's `x[:, begin:end:stride]`. */
class Slice extends tf.layers.Layer {
  static className = 'Slice';
  private readonly settings: Required<SliceConfig>;
  constructor({ begin, end, strides, squeeze = [], ...config }: SliceConfig) {
    super(config as object);
    this.settings = { begin, end, strides, squeeze };
  }
  /** First index, one past the last, and step of an axis of that size. */
  private bounds(i: number, size: number): [number, number, number] {
    const { begin, end, strides } = this.settings;
    const clamp = (index: number) => Math.min(Math.max(index < 0 ? index + size : index, 0), size);
    const last = end[i] ?? null;
    return [clamp(begin[i]!), last === null ? size : clamp(last), strides[i]!];
  }
  override computeOutputShape(given: tf.Shape | tf.Shape[]): tf.Shape {
    const { squeeze } = this.settings;
    const shape = oneShape(given);
    const sizes = shape.slice(1).map((size, i) => {
      if (size === null) return squeeze.includes(i + 1) ? 1 : null;
      const [from, to, step] = this.bounds(i, size);
      return Math.max(Math.ceil((to - from) / step), 0);
    });
    return [shape[0]!, ...sizes].filter((_, i) => !squeeze.includes(i));
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const bounds = x.shape.slice(1).map((size, i) => this.bounds(i, size));
      const y = tf.stridedSlice(
        x,
        [0, ...bounds.map(([from]) => from)],
        [x.shape[0]!, ...bounds.map(([, to]) => to)],
        [1, ...bounds.map(([, , step]) => step)],
      );
      return this.settings.squeeze.length > 0 ? tf.squeeze(y, this.settings.squeeze) : y;
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings };
  }
}
registerLayer(Slice);
