/**
 * A whole training step of LeNet-5 or LeNet-fc (forward, softmax cross-entropy, all gradients, Adam), written in tfjs's own operations, on the tensorflow
 * engine: as tfjs-node runs it, with this engine's gradients, compiled with weights and moments fed and fetched, compiled with them kept in
 * the graph, and so with applyAdam; turn by turn in one process.
 *
 *     node bench/compile-step.mjs [--net lenet5|fc] [--batch 128] [--turns 15] [--steps 5] [--pool first]
 *
 * --pool first: pools before bias and ReLU, which gives the same and does less.
 */
import { parseArgs } from 'node:util';
import { applyAdam, compile, loadTensorflow, useEngine } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';

const { values: options } = parseArgs({
  options: {
    net: { type: 'string', default: 'lenet5' },
    batch: { type: 'string', default: '128' },
    turns: { type: 'string', default: '15' },
    steps: { type: 'string', default: '5' },
    pool: { type: 'string', default: 'last' },
  },
});
const [batch, turns, steps] = [options.batch, options.turns, options.steps].map(Number);
await loadTensorflow();
const stockRelu = tf.getGradient('Relu');
const { version, device } = await useEngine('tensorflow');
const ourRelu = tf.getGradient('Relu');

const shapes =
  options.net === 'fc'
    ? { w1: [784, 500], b1: [500], w2: [500, 300], b2: [300], w3: [300, 10], b3: [10] }
    : {
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

const dense = (x, w, b) => tf.add(tf.matMul(x, w), b);
const logits = {
  fc: (x, w1, b1, w2, b2, w3, b3) => {
    const first = tf.relu(dense(tf.reshape(x, [batch, 784]), w1, b1));
    return dense(tf.relu(dense(first, w2, b2)), w3, b3);
  },
  lenet5: (x, w1, b1, w2, b2, w3, b3, w4, b4) => {
    const flat = tf.reshape(layer(layer(x, w1, b1), w2, b2), [batch, 800]);
    return dense(tf.relu(dense(flat, w3, b3)), w4, b4);
  },
}[options.net];

const stepWith =
  (update) =>
  ({ w, m, v, t }, images, labels) => {
    const loss = (...weights) => tf.losses.softmaxCrossEntropy(labels, logits(images, ...weights));
    const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => w[name]));
    const next = tf.add(t, 1);
    const correction = tf.div(tf.sqrt(tf.sub(1, tf.pow(0.999, next))), tf.sub(1, tf.pow(0.9, next)));
    const rate = tf.mul(0.001, correction);
    const updated = names.map((name, i) =>
      update({ weights: w[name], first: m[name], second: v[name] }, grads[i], {
        ...{ rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
      }),
    );
    const [weights, first, second] = ['weights', 'first', 'second'].map((part) =>
      record((name) => updated[names.indexOf(name)][part]),
    );
    return { state: { w: weights, m: first, v: second, t: next }, loss: value };
  };

function written({ weights, first, second }, gradient, { rate, beta1, beta2, epsilon }) {
  const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
  const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  return {
    weights: tf.sub(weights, tf.mul(rate, tf.div(m, tf.add(tf.sqrt(v), epsilon)))),
    first: m,
    second: v,
  };
}
const step = stepWith(written);

function fedWith(run) {
  let state = initial();
  return () => {
    const { state: next, loss } = run(state, images, labels);
    tf.dispose(state);
    state = next;
    return loss;
  };
}
const inGraph = (step) => {
  const compiled = compile(step, { state: initial() });
  return () => compiled(images, labels).loss;
};
const eager = () => fedWith((...inputs) => tf.tidy(() => step(...inputs)));
const variants = {
  'tfjs-node as it is': eager(),
  "with this engine's gradients": eager(),
  'compiled, state fed': fedWith(compile(step)),
  'compiled, state in the graph': inGraph(step),
  'the same with applyAdam': inGraph(stepWith(applyAdam)),
};
const baseline = 'tfjs-node as it is';

const rates = Object.fromEntries(Object.keys(variants).map((name) => [name, { wall: [], cpu: [] }]));
const losses = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
for (let turn = -1; turn < turns; turn++) {
  for (const [name, run] of Object.entries(variants)) {
    tf.registerGradient(name === baseline ? stockRelu : ourRelu);
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
  `TensorFlow ${version}, ${device}; ${options.net} with Adam, batch ${batch}, ${turns} turns of ${steps} steps`,
);
for (const [name, { wall, cpu }] of Object.entries(rates)) {
  const ratios = wall.map((ms, turn) => rates[baseline].wall[turn] / ms);
  const cpuRatios = cpu.map((ms, turn) => rates[baseline].cpu[turn] / ms);
  console.log(
    `${name.padEnd(30)} ${median(wall).toFixed(1).padStart(6)} ms a step, ${((1000 * batch) / Math.min(...wall)).toFixed(0)} images/s at best; ${median(ratios).toFixed(2)} × by the clock, ${median(cpuRatios).toFixed(2)} × by processor time`,
  );
}
// Rounding differs, and training amplifies it, so only the first steps can be compared.
const apart = Object.values(losses).flatMap((list) =>
  list.slice(0, 5).map((loss, i) => Math.abs(loss - losses[baseline][i]) / losses[baseline][i]),
);
console.log(`largest relative difference between losses in the first 5 steps: ${Math.max(...apart)}`);
