/**
 * One training step of LeNet-5 (forward, softmax cross-entropy, all gradients, plain SGD so that weights are new each step) on the wasm
 * engine, against the same step on the naive composition of naive-kernels.mjs, turn by turn, by processor time.
 *
 *     node bench/wasm-step.mjs [--batch 128] [--turns 10] [--fused] [--profile]
 *
 * --fused adds biases as tf.layers does, within the convolution; tfjs then works out the images' gradient too.
 */
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { naiveKernels } from './naive-kernels.mjs';

const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '128' },
    turns: { type: 'string', default: '10' },
    fused: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
  },
});
const batch = Number(options.batch);
const turns = Number(options.turns);

await tf.setBackend('wasm');
const stock = tf.getKernelsForBackend('wasm');
const replaced = naiveKernels(tf);
const naive = [
  ...stock.filter(({ kernelName }) => !replaced.some((k) => k.kernelName === kernelName)),
  ...replaced,
];
const { useEngine } = await import('@sbp/engine');
await useEngine('wasm');
const ours = tf.getKernelsForBackend('wasm');

// Time on the processor in ms: what other programs take does not count.
function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function use(kernels) {
  for (const { kernelName } of tf.getKernelsForBackend('wasm')) tf.unregisterKernel(kernelName, 'wasm');
  for (const kernel of kernels) tf.registerKernel(kernel);
}

const weight = (...shape) => tf.variable(tf.randomNormal(shape, 0, 0.05, 'float32', 1));
const [w1, b1, w2, b2, w3, b3, w4, b4] = [
  ...[weight(5, 5, 1, 20), weight(20), weight(5, 5, 20, 50), weight(50)],
  ...[weight(800, 500), weight(500), weight(500, 10), weight(10)],
];
const weights = [w1, b1, w2, b2, w3, b3, w4, b4];
const images = tf.randomUniform([batch, 28, 28, 1], 0, 1, 'float32', 2);
const labels = tf.oneHot(tf.range(0, batch, 1, 'int32').mod(tf.scalar(10, 'int32')), 10).toFloat();

const biased = options.fused
  ? {
      conv2d: (x, filter, bias) => tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'valid' }),
      matMul: (a, b, bias) => tf.fused.matMul({ a, b, bias }),
    }
  : {
      conv2d: (x, filter, bias) => tf.add(tf.conv2d(x, filter, 1, 'valid'), bias),
      matMul: (a, b, bias) => tf.add(tf.matMul(a, b), bias),
    };
const layer = (x, w, b) => tf.relu(tf.maxPool(biased.conv2d(x, w, b), 2, 2, 'valid'));
const loss = () => {
  const flat = tf.reshape(layer(layer(images, w1, b1), w2, b2), [batch, 800]);
  const hidden = tf.relu(biased.matMul(flat, w3, b3));
  return tf.losses.softmaxCrossEntropy(labels, biased.matMul(hidden, w4, b4));
};
function step() {
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(loss, weights);
    for (const w of weights) w.assign(tf.sub(w, tf.mul(grads[w.name], 0.001)));
    return value.dataSync()[0];
  });
}

function profile(kernels, steps = 10) {
  const times = new Map();
  const timed = ({ kernelFunc, ...rest }) => ({
    ...rest,
    kernelFunc(args) {
      const start = cpuTime();
      const result = kernelFunc(args);
      // A gradient that is worked out when it is read counts here, unless nobody reads it: the images'.
      if (rest.kernelName === 'Conv2DBackpropInput' && result.shape[3] > 1)
        tf.backend().dataIdMap.get(result.dataId);
      const shapes = Object.values(args.inputs).map((x) => `[${x?.shape ?? ''}]`);
      const key = `${rest.kernelName} ${shapes.join(' ')}`;
      const { ms = 0, calls = 0 } = times.get(key) ?? {};
      times.set(key, { ms: ms + cpuTime() - start, calls: calls + 1 });
      return result;
    },
  });
  use(kernels.map(timed));
  const start = cpuTime();
  for (let i = 0; i < steps; i++) step();
  const all = (cpuTime() - start) / steps;
  const rows = [...times].map(([key, { ms, calls }]) => ({ key, ms: ms / steps, calls: calls / steps }));
  const inKernels = rows.reduce((sum, { ms }) => sum + ms, 0);
  console.log(`\n${all.toFixed(1)} ms a step, ${inKernels.toFixed(1)} of them in kernels:`);
  for (const { key, ms, calls } of rows.sort((a, b) => b.ms - a.ms)) {
    if (ms >= all / 500) console.log(`${ms.toFixed(2).padStart(8)} ms  ${calls} × ${key}`);
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const rates = { naive: [], ours: [] };
for (let turn = 0; turn < turns; turn++) {
  for (const [name, kernels] of Object.entries({ naive, ours })) {
    use(kernels);
    step();
    const start = cpuTime();
    for (let i = 0; i < 3; i++) step();
    rates[name].push((3 * batch * 1000) / (cpuTime() - start));
  }
}
const ratios = rates.ours.map((rate, turn) => rate / rates.naive[turn]);
console.log(
  `batch ${batch}, one thread: naive ${median(rates.naive).toFixed(0)} images/s, this engine ${median(rates.ours).toFixed(0)} images/s, ` +
    `${median(ratios).toFixed(2)} times as fast (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)} by turn)`,
);
if (options.profile) {
  console.log('\nnaive');
  profile(naive);
  console.log('\nthis engine');
  profile(ours);
}
