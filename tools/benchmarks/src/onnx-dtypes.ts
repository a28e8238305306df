// Size, time and outputs of ONNX files of fewer bits beside float32's. Usage: node dist/onnx-dtypes.js
import { environment, onnxRuntimeVersion, openOnnx, table, timeOnnx } from '@sbp/bench';
import { exampleInputs, exportOnnx } from '@sbp/onnx';
import * as tf from '@tensorflow/tfjs';

const DTYPES = ['float32', 'float16', 'int8'] as const;
const BATCHES = [1, 32];

const seeded = (seed: number) => tf.initializers.heNormal({ seed });
const dense = (units: number, seed: number, rest = {}) =>
  tf.layers.dense({ units, activation: 'relu', kernelInitializer: seeded(seed), ...rest });
const conv = (filters: number, strides: number, seed: number, rest = {}) =>
  tf.layers.conv2d({
    ...{ filters, kernelSize: 3, padding: 'same', strides, activation: 'relu' },
    kernelInitializer: seeded(seed),
    ...rest,
  });

const networks = {
  'dense 784–1024–1024–10': tf.sequential({
    layers: [dense(1024, 1, { inputShape: [784] }), dense(1024, 2), dense(10, 3)],
  }),
  'five 3 × 3 convolutions, 32 × 32 × 16 to 8 × 8 × 128': tf.sequential({
    layers: [
      ...[conv(32, 1, 1, { inputShape: [32, 32, 16] }), conv(64, 2, 2), conv(64, 1, 3)],
      ...[conv(128, 2, 4), conv(128, 1, 5), tf.layers.globalAveragePooling2d({}), dense(10, 6)],
    ],
  }),
};

async function outputs(onnx: Uint8Array, model: tf.LayersModel): Promise<Float32Array> {
  const opened = await openOnnx({ name: 'file', onnx });
  const [{ name, data, shape }] = exampleInputs(model) as [ReturnType<typeof exampleInputs>[0]];
  const [values] = await opened.run({ [name]: { data, shape } });
  await opened.release();
  return values!;
}

await tf.setBackend('cpu');
const rows: object[] = [];
for (const [network, model] of Object.entries(networks)) {
  const entries = DTYPES.map((dtype) => ({ name: dtype, onnx: exportOnnx(model, { dtype }) }));
  const timings = await timeOnnx(entries, { batchSizes: BATCHES, repeats: 15 });
  const expected = await outputs(entries[0]!.onnx, model);
  for (const [i, { name, onnx }] of entries.entries()) {
    const found = await outputs(onnx, model);
    const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = expected.reduce((most, value, j) => Math.max(most, Math.abs(value - found[j]!)), 0);
    const [one, many] = BATCHES.map((_, batch) => timings[batch * DTYPES.length + i]!);
    rows.push({
      network,
      dtype: name,
      kB: Math.round(onnx.length / 1000),
      'difference, of the largest output': i === 0 ? '' : `${((100 * difference) / scale).toPrecision(2)} %`,
      'batch 1, ms': one!.milliseconds,
      'speed-up': one!.speedup,
      'batch 32, ms': many!.milliseconds,
      'speed-up at 32': many!.speedup,
    });
  }
}
const { node, cpu, cores, platform } = environment();
console.log(`# ONNX files of fewer bits in ONNX Runtime

${table(rows)}

One thread; medians and quartiles, in turns. Differences are the largest on 8 random inputs.

Printed by \`npm run bench:dtypes\`, ${new Date().toISOString().slice(0, 10)}. ${cpu}, ${cores} cores, ${platform}, Node ${node}, ONNX Runtime ${await onnxRuntimeVersion()}.`);
