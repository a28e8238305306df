"""The same networks and step in TensorFlow, as one tf.function without XLA, as a person would write them there. Answers lines; see job.py."""
import math

import numpy as np
import tensorflow as tf

from job import answer

SQRT_HALF = math.sqrt(0.5)


def ndtr(x):
    return 0.5 * (1 + tf.math.erf(x * SQRT_HALF))


def density(x):
    return tf.exp(-0.5 * tf.square(x)) / math.sqrt(2 * math.pi)


def noise(job, mu, log_sigma):
    """θ, one a channel for the mini-batch, and Σ KL."""
    a, b = job.bounds['a'], job.bounds['b']
    sigma = tf.exp(log_sigma)
    alpha, beta = (a - mu) / sigma, (b - mu) / sigma
    below = ndtr(alpha)
    mass = tf.maximum(ndtr(beta) - below, 1e-8)
    p = tf.clip_by_value(below + tf.random.uniform(mu.shape) * mass, 1e-6, 1 - 1e-6)
    theta = tf.exp(tf.clip_by_value(mu + sigma * tf.math.ndtri(p), a, b))
    edges = (alpha * density(alpha) - beta * density(beta)) / (2 * mass)
    constant = math.log(b - a) - 0.5 * math.log(2 * math.pi * math.e)
    return theta, tf.reduce_sum(constant - log_sigma - tf.math.log(mass) - edges)


class Peer:
    version = tf.__version__
    threads = [0]

    def open(self, job):
        tf.random.set_seed(0)
        self.job = job
        moving = lambda name: name.endswith(('/moving_mean', '/moving_variance'))
        v = {name: tf.Variable(value, trainable=not moving(name)) for name, value in job.values.items()}
        trainable = [name for name in v if not moving(name)]
        self.parameters = sum(int(np.prod(v[name].shape)) for name in trainable)
        adam = lambda rate: tf.compat.v1.train.AdamOptimizer(
            rate, job.adam['beta1'], job.adam['beta2'], job.adam['epsilon'])
        optimizers = {False: adam(job.adam['learningRate']), True: adam(job.adam['noiseRate'])}

        def forward(x):
            kl = 0.0
            for layer in job.layers:
                kind, name = layer['kind'], layer.get('name')
                if kind == 'conv':
                    x = tf.nn.conv2d(x, v[f'{name}/kernel'], 1, layer['padding'].upper())
                    if layer['bias']:
                        x = tf.nn.bias_add(x, v[f'{name}/bias'])
                elif kind == 'dense':
                    x = tf.nn.bias_add(tf.matmul(x, v[f'{name}/kernel']), v[f'{name}/bias'])
                elif kind == 'batchNorm':
                    mean, variance = v[f'{name}/moving_mean'], v[f'{name}/moving_variance']
                    x, m, s = tf.compat.v1.nn.fused_batch_norm(
                        x, v[f'{name}/gamma'], v[f'{name}/beta'], mean, variance,
                        epsilon=1e-3, is_training=True, exponential_avg_factor=0.01)
                    mean.assign(m)
                    variance.assign(s)
                elif kind == 'noise':
                    theta, each = noise(job, v[f'{name}/mu'], v[f'{name}/log_sigma'])
                    x, kl = x * theta, kl + each
                elif kind == 'pool':
                    x = tf.nn.max_pool2d(x, 2, 2, 'VALID')
                elif kind == 'relu':
                    x = tf.nn.relu(x)
                else:
                    x = tf.reshape(x, [x.shape[0], -1])
            return x, kl

        @tf.function(jit_compile=False)
        def step(x, y):
            with tf.GradientTape() as tape:
                logits, kl = forward(x)
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
                objective = tf.reduce_mean(loss) + kl / job.trainExamples
            gradients = tape.gradient(objective, [v[name] for name in trainable])
            for of_noise, optimizer in optimizers.items():
                pairs = [(g, v[n]) for g, n in zip(gradients, trainable) if job.is_noise(n) == of_noise]
                if pairs:
                    optimizer.apply_gradients(pairs)
            return objective

        self.run = step

    def step(self, indices):
        self.loss = self.run(tf.constant(self.job.images[indices]), tf.constant(self.job.labels[indices]))

    def objective(self):
        return float(self.loss)


answer(Peer())
