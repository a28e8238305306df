import * as tf from '@tensorflow/tfjs';

/** What the layer needs to know. */
interface NaiveNoiseConfig {
  name: string;
  bounds: { a: number; b: number };
  trainExamples: number;
}

const distribution = (x: tf.Tensor) => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
const density = (x: tf.Tensor) => tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));

/** erf⁻¹ as in M. Giles, "Approximating the erfinv function" (GPU Computing Gems, 2011): tfjs has none. */
const CENTRE = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const TAIL = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

function erfInverse(x: tf.Tensor): tf.Tensor {
  const w = tf.neg(tf.log(tf.mul(tf.sub(1, x), tf.add(1, x))));
  const polynomial = (at: tf.Tensor, coefficients: number[]) =>
    coefficients.reduce<tf.Tensor>((sum, c) => tf.add(tf.mul(sum, at), c), tf.zerosLike(at));
  const centre = polynomial(tf.sub(w, 2.5), CENTRE);
  const tail = polynomial(tf.sub(tf.sqrt(tf.maximum(w, 5)), 3), TAIL);
  // tfjs has no gradient for comparisons
  const central = tf.step(tf.sub(5, w));
  return tf.mul(x, tf.add(tf.mul(central, centre), tf.mul(tf.sub(1, central), tail)));
}

/**
 * Log-normal noise as a person would write it in tfjs from the paper: one θ a channel for the mini-batch, multiplied into the activations; all gradients
 * are tfjs's.
 */
class NaiveNoise extends tf.layers.Layer {
  static className = 'NaiveNoise';
  private mu!: tf.LayerVariable;
  private logSigma!: tf.LayerVariable;

  constructor(private readonly settings: NaiveNoiseConfig) {
    super({ name: settings.name });
  }

  override build(inputShape: tf.Shape): void {
    const groups = [inputShape.at(-1) as number];
    this.mu = this.addWeight('mu', groups, 'float32', tf.initializers.zeros());
    this.logSigma = this.addWeight('log_sigma', groups, 'float32', tf.initializers.constant({ value: -5 }));
    this.addLoss(() => this.kl());
    super.build(inputShape);
  }

  private parts() {
    const { a, b } = this.settings.bounds;
    const [mu, logSigma] = [this.mu.read(), this.logSigma.read()];
    const sigma = tf.exp(logSigma);
    const [alpha, beta] = [tf.div(tf.sub(a, mu), sigma), tf.div(tf.sub(b, mu), sigma)];
    const below = distribution(alpha);
    const mass = tf.maximum(tf.sub(distribution(beta), below), 1e-8);
    return { mu, logSigma, sigma, alpha, beta, below, mass };
  }

  private kl(): tf.Scalar {
    return tf.tidy(() => {
      const { logSigma, alpha, beta, mass } = this.parts();
      const { a, b } = this.settings.bounds;
      const constant = Math.log(b - a) - 0.5 * Math.log(2 * Math.PI * Math.E);
      const edges = tf.sub(tf.mul(alpha, density(alpha)), tf.mul(beta, density(beta)));
      const each = tf.sub(tf.sub(tf.sub(constant, logSigma), tf.log(mass)), tf.div(edges, tf.mul(mass, 2)));
      return tf.div(tf.sum(each), this.settings.trainExamples);
    });
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
      if (!training) return x;
      const { mu, sigma, below, mass } = this.parts();
      const p = tf.clipByValue(tf.add(below, tf.mul(tf.randomUniform(mu.shape), mass)), 1e-6, 1 - 1e-6);
      const normal = tf.mul(erfInverse(tf.sub(tf.mul(p, 2), 1)), Math.SQRT2);
      const { a, b } = this.settings.bounds;
      return tf.mul(x, tf.exp(tf.clipByValue(tf.add(mu, tf.mul(sigma, normal)), a, b)));
    });
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }
}
tf.serialization.registerClass(NaiveNoise);

export const naiveNoise = (config: NaiveNoiseConfig): tf.layers.Layer => new NaiveNoise(config);
