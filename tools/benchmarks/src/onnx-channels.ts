// What it gains in ONNX Runtime to fill a convolution's channels up to a multiple of four, by their number. Usage: node dist/onnx-channels.js
import { environment, onnxRuntimeVersion, table, timeOnnx } from '@sbp/bench';
import { exportOnnx } from '@sbp/onnx';
import * as tf from '@tensorflow/tfjs';

/** By the size of the images that three convolutions read. */
const WIDTHS = {
  16: [5, 7, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31],
  8: [33, 37, 41, 45, 49, 53, 57, 61, 66, 77, 101, 125],
};
const BATCH = 100;

const conv = (filters: number, first?: number) =>
  tf.layers.conv2d({
    ...{ filters, kernelSize: 3, padding: 'same', activation: 'relu' },
    ...(first && { inputShape: [first, first, filters] }),
  });

function layersOf(channels: number, size: number): tf.layers.Layer[] {
  const last = [tf.layers.flatten(), tf.layers.dense({ units: 10 })];
  return [conv(channels, size), conv(channels), conv(channels), ...last];
}

const net = (channels: number, size: number) => tf.sequential({ layers: layersOf(channels, size) });

await tf.setBackend('cpu');
const rows: object[] = [];
for (const [size, widths] of Object.entries(WIDTHS))
  for (const channels of widths) {
    const filled = Math.ceil(channels / 4) * 4;
    const entries = [
      { name: 'as they are', onnx: exportOnnx(net(channels, Number(size)), { fillChannels: false }) },
      { name: 'filled up', onnx: exportOnnx(net(filled, Number(size)), { fillChannels: false }) },
    ];
    const [asTheyAre, filledUp] = await timeOnnx(entries, { batchSizes: [BATCH], repeats: 7 });
    rows.push({
      channels,
      ...{ images: `${size} × ${size}`, 'as they are, ms': asTheyAre?.milliseconds },
      ...{ 'filled up to': filled, ms: filledUp?.milliseconds, 'speed-up': filledUp?.speedup },
    });
  }
const { node, cpu, cores, platform } = environment();
console.log(`# Channels filled up to a multiple of four in ONNX Runtime

${table(rows)}

Three 3 × 3 'same' convolutions with ReLU that read and make as many channels, batch ${BATCH}, one thread; medians and quartiles, in turns.

Printed by \`npm run bench:channels\`, ${new Date().toISOString().slice(0, 10)}. ${cpu}, ${cores} cores, ${platform}, Node ${node}, ONNX Runtime ${await onnxRuntimeVersion()}.`);
