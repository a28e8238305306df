import { backend, build, tf, trace } from './_p.mjs';

const batch = 128;
const weight = (...shape) => tf.randomNormal(shape, 0, 0.05, 'float32', 1);
const shapes = [[5, 5, 1, 20], [20], [5, 5, 20, 50], [50], [800, 500], [500], [500, 10], [10]];
const images = tf.randomUniform([batch, 28, 28, 1], 0, 1, 'float32', 2);
const labels = tf.oneHot(tf.range(0, batch, 1, 'int32').mod(tf.scalar(10, 'int32')), 10).toFloat();
const order = process.argv[2] ?? 'pool-first';
const layer = (x, w, b) =>
  order === 'pool-first'
    ? tf.relu(tf.add(tf.maxPool(tf.conv2d(x, w, 1, 'valid'), 2, 2, 'valid'), b))
    : tf.maxPool(tf.relu(tf.add(tf.conv2d(x, w, 1, 'valid'), b)), 2, 2, 'valid');
const step = (...args) => {
  const w = args.slice(0, 8),
    m = args.slice(8, 16),
    v = args.slice(16, 24);
  const [t, images, labels] = args.slice(24);
  const loss = (w1, b1, w2, b2, w3, b3, w4, b4) => {
    const flat = tf.reshape(layer(layer(images, w1, b1), w2, b2), [batch, 800]);
    const hidden = tf.relu(tf.add(tf.matMul(flat, w3), b3));
    return tf.losses.softmaxCrossEntropy(labels, tf.add(tf.matMul(hidden, w4), b4));
  };
  const { value, grads } = tf.valueAndGrads(loss)(w);
  const t1 = tf.add(t, 1);
  const rate = tf.mul(0.001, tf.div(tf.sqrt(tf.sub(1, tf.pow(0.999, t1))), tf.sub(1, tf.pow(0.9, t1))));
  const m1 = m.map((m, i) => tf.add(tf.mul(m, 0.9), tf.mul(grads[i], 0.1)));
  const v1 = v.map((v, i) => tf.add(tf.mul(v, 0.999), tf.mul(tf.square(grads[i]), 0.001)));
  const w1 = w.map((w, i) => tf.sub(w, tf.mul(rate, tf.div(m1[i], tf.add(tf.sqrt(v1[i]), 1e-7)))));
  return [...w1, ...m1, ...v1, t1, value];
};
const init = () => [
  ...shapes.map((s) => weight(...s)),
  ...shapes.map((s) => tf.zeros(s)),
  ...shapes.map((s) => tf.zeros(s)),
  tf.scalar(0),
];
const s = init();
const nodes = trace(step, [...s, images, labels]);
const count = {};
for (const n of nodes) count[n.op] = (count[n.op] ?? 0) + 1;
console.log(nodes.length, JSON.stringify(count));
const run = build(nodes);
function loop(f, n) {
  const t = process.hrtime.bigint();
  for (let i = 0; i < n; i++) {
    const r = f();
  }
  return Number(process.hrtime.bigint() - t) / 1e6 / n;
}
let se = init(),
  sg = init();
const eager = () => {
  const r = tf.tidy(() => step(...se, images, labels));
  se.forEach((x) => x.dispose());
  const l = r.pop();
  l.dispose();
  se = r;
};
const graph = () => {
  const r = run([...sg, images, labels]);
  sg.forEach((x) => x.dispose());
  const l = r.pop();
  l.dispose();
  sg = r;
};
for (let k = 0; k < 3; k++) {
  eager();
  graph();
}
const es = [],
  gs = [];
for (let k = 0; k < 15; k++) {
  es.push(loop(eager, 5));
  gs.push(loop(graph, 5));
}
const med = (l) => l.toSorted((a, b) => a - b)[l.length >> 1];
console.log(
  'eager ms',
  med(es).toFixed(2),
  Math.min(...es).toFixed(2),
  'graph ms',
  med(gs).toFixed(2),
  Math.min(...gs).toFixed(2),
  'ratio',
  (med(es) / med(gs)).toFixed(2),
  'img/s',
  ((batch / Math.min(...gs)) * 1000).toFixed(0),
);
console.log(se.map((x, i) => (i < 8 ? tf.max(tf.abs(tf.sub(x, sg[i]))).dataSync()[0] : 0)).join(' '));
