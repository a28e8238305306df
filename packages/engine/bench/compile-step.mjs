/**
 * A whole training step of LeNet-5 (forward, softmax cross-entropy, all gradients, Adam), written in tfjs's own operations, on the tensorflow engine:
 * run as it is, compiled with weights and moments fed and fetched, and compiled with them kept in the graph; turn by turn in one process.
 *
 *     node bench/compile-step.mjs [--batch 128] [--turns 15] [--steps 5] [--pool first] [--no-ops]
 *
 * --pool first: pools before bias and ReLU, which gives the same and does less.
 * --stock-ops: without the engine's own kernels and gradients, as tfjs-node is by itself.
 */
import { parseArgs } from 'node:util';
import { compile, loadTensorflow, useEngine } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '128' },
    turns: { type: 'string', default: '15' },
    steps: { type: 'string', default: '5' },
    pool: { type: 'string', default: 'last' },
    'stock-ops': { type: 'boolean', default: false },
  },
});
const [batch, turns, steps] = [options.batch, options.turns, options.steps].map(Number);
const { version, device } = options['stock-ops'] ? await loadTensorflow() : await useEngine('tensorflow');

const shapes = {
  ...{ w1: [5, 5, 1, 20], b1: [20], w2: [5, 5, 20, 50], b2: [50] },
  ...{ w3: [800, 500], b3: [500], w4: [500, 10], b4: [10] },
};
const names = Object.keys(shapes);
const record = (make) => Object.fromEntries(names.map((name) => [name, make(name)]));
const initial = () => ({
  w: record((name) => tf.randomNormal(shapes[name], 0, 0.05, 'float32', 1)),
  m: record((name) => tf.zeros(shapes[name])),
  v: record((name) => tf.zeros(shapes[name])),
  t: tf.scalar(0),
});
const images = tf.randomUniform([batch, 28, 28, 1], 0, 1, 'float32', 2);
const labels = tf.oneHot(tf.range(0, batch, 1, 'int32').mod(tf.scalar(10, 'int32')), 10).toFloat();

function layer(x, w, b) {
  const y = tf.conv2d(x, w, 1, 'valid');
  return options.pool === 'first'
    ? tf.relu(tf.add(tf.maxPool(y, 2, 2, 'valid'), b))
    : tf.maxPool(tf.relu(tf.add(y, b)), 2, 2, 'valid');
}

function step({ w, m, v, t }, images, labels) {
  const loss = (w1, b1, w2, b2, w3, b3, w4, b4) => {
    const flat = tf.reshape(layer(layer(images, w1, b1), w2, b2), [batch, 800]);
    const hidden = tf.relu(tf.add(tf.matMul(flat, w3), b3));
    return tf.losses.softmaxCrossEntropy(labels, tf.add(tf.matMul(hidden, w4), b4));
  };
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => w[name]));
  const g = record((name) => grads[names.indexOf(name)]);
  const next = tf.add(t, 1);
  const correction = tf.div(tf.sqrt(tf.sub(1, tf.pow(0.999, next))), tf.sub(1, tf.pow(0.9, next)));
  const rate = tf.mul(0.001, correction);
  const first = record((name) => tf.add(tf.mul(m[name], 0.9), tf.mul(g[name], 0.1)));
  const second = record((name) => tf.add(tf.mul(v[name], 0.999), tf.mul(tf.square(g[name]), 0.001)));
  const weights = record((name) =>
    tf.sub(w[name], tf.mul(rate, tf.div(first[name], tf.add(tf.sqrt(second[name]), 1e-7)))),
  );
  return { state: { w: weights, m: first, v: second, t: next }, loss: value };
}

function fedWith(run) {
  let state = initial();
  return () => {
    const { state: next, loss } = run(state, images, labels);
    tf.dispose(state);
    state = next;
    return loss;
  };
}
const kept = compile(step, { state: initial() });
const variants = {
  eager: fedWith((...inputs) => tf.tidy(() => step(...inputs))),
  'compiled, state fed': fedWith(compile(step)),
  'compiled, state in the graph': () => kept(images, labels).loss,
};

const rates = Object.fromEntries(Object.keys(variants).map((name) => [name, { wall: [], cpu: [] }]));
const losses = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
for (let turn = -1; turn < turns; turn++) {
  for (const [name, run] of Object.entries(variants)) {
    const before = { wall: performance.now(), cpu: process.cpuUsage() };
    for (let i = 0; i < steps; i++) {
      const loss = run();
      losses[name].push(loss.dataSync()[0]);
      loss.dispose();
    }
    const { user, system } = process.cpuUsage(before.cpu);
    if (turn < 0) continue;
    rates[name].wall.push((performance.now() - before.wall) / steps);
    rates[name].cpu.push((user + system) / 1000 / steps);
  }
}
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
console.log(
  `TensorFlow ${version}, ${device}; LeNet-5 with Adam, batch ${batch}, ${turns} turns of ${steps} steps`,
);
for (const [name, { wall, cpu }] of Object.entries(rates)) {
  const ratios = wall.map((ms, turn) => rates.eager.wall[turn] / ms);
  const cpuRatios = cpu.map((ms, turn) => rates.eager.cpu[turn] / ms);
  console.log(
    `${name.padEnd(30)} ${median(wall).toFixed(1).padStart(6)} ms a step, best ${Math.min(...wall).toFixed(1)}; eager ÷ this: ${median(ratios).toFixed(2)} by the clock, ${median(cpuRatios).toFixed(2)} by processor time`,
  );
}
const apart = Math.max(
  ...Object.values(losses).flatMap((list) => list.map((loss, i) => Math.abs(loss - losses.eager[i]))),
);
console.log(`largest difference between losses of the same step: ${apart}`);
