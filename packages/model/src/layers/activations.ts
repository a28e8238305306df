import * as tf from '@tensorflow/tfjs';

/**
 * Activations of Keras that tfjs lacks, by the name that stands in a layer's config. `geluNew` is tfjs's own `gelu_new`, which it cannot read back from a file.
 *
 * @internal The unary operations of Keras's graphs are among them: a layer `Activation` says each.
 */
export const activations: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  keras3HardSigmoid: hardSigmoid,
  hardSilu: (x) => tf.mul(x, hardSigmoid(x)),
  geluNew: (x) => {
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))));
    return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)));
  },
  exponential: (x) => tf.exp(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  celu: (x) => tf.elu(x),
  hardTanh: (x) => tf.clipByValue(x, -1, 1),
  hardShrink: (x) => tf.mul(x, tf.cast(tf.greater(tf.abs(x), 0.5), x.dtype)),
  softShrink: (x) => tf.sub(tf.relu(tf.sub(x, 0.5)), tf.relu(tf.sub(tf.neg(x), 0.5))),
  tanhShrink: (x) => tf.sub(x, tf.tanh(x)),
  squareplus: (x) => tf.mul(0.5, tf.add(x, tf.sqrt(tf.add(tf.square(x), 4)))),
  logSigmoid: (x) => tf.logSigmoid(x),
  sparsePlus: (x) => {
    const middle = tf.mul(0.25, tf.square(tf.add(tf.clipByValue(x, -1, 1), 1)));
    return tf.add(middle, tf.relu(tf.sub(x, 1)));
  },
  sparseSigmoid: (x) => tf.clipByValue(tf.mul(0.5, tf.add(x, 1)), 0, 1),
  square: (x) => tf.square(x),
  sqrt: (x) => tf.sqrt(x),
  rsqrt: (x) => tf.rsqrt(x),
  abs: (x) => tf.abs(x),
  log: (x) => tf.log(x),
  log1p: (x) => tf.log1p(x),
  expm1: (x) => tf.expm1(x),
  reciprocal: (x) => tf.reciprocal(x),
  sin: (x) => tf.sin(x),
  cos: (x) => tf.cos(x),
  sign: (x) => tf.sign(x),
  floor: (x) => tf.floor(x),
  ceil: (x) => tf.ceil(x),
  round: (x) => tf.round(x),
  erf: (x) => tf.erf(x),
};

function hardSigmoid(x: tf.Tensor): tf.Tensor {
  return tf.mul(1 / 6, tf.clipByValue(tf.add(x, 3), 0, 6));
}

// tfjs looks an activation up by class name and asks for nothing but `apply`.
for (const [name, apply] of Object.entries(activations)) {
  class Activation extends tf.serialization.Serializable {
    static className = name;
    override getConfig(): tf.serialization.ConfigDict {
      return {};
    }
    apply(x: tf.Tensor): tf.Tensor {
      return tf.tidy(() => apply(x));
    }
  }
  tf.serialization.registerClass(Activation as never);
}
