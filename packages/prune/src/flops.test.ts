import { leNet5, leNetFc, vggLike } from '@sbp/layers';
import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { countFlops } from './index.js';

describe('countFlops', () => {
  it('counts LeNet-5 as by hand', () => {
    const { macs, params, layers } = countFlops(leNet5({ noise: false }));
    const spent = Object.fromEntries(
      layers.filter((layer) => layer.macs > 0).map((layer) => [layer.name, layer.macs]),
    );
    expect(spent).toEqual({ conv1: 288_000, conv2: 1_600_000, dense1: 400_000, logits: 5_000 });
    expect(macs).toBe(2_293_000);
    expect(params).toBe(20 * 25 + 20 + 50 * 20 * 25 + 50 + 800 * 500 + 500 + 5000 + 10);
  });

  it('counts the same with noise, but for the noise’s own parameters', () => {
    const [noisy, plain] = [countFlops(leNetFc()), countFlops(leNetFc({ noise: false }))];
    expect(noisy.macs).toBe(plain.macs);
    expect(plain.macs).toBe(784 * 500 + 500 * 300 + 300 * 10);
    expect(noisy.params - plain.params).toBe(2 * (784 + 500 + 300));
  });

  it('counts VGG-like as by hand, at any scale', () => {
    const byHand = (scale: number) => {
      const width = (channels: number) => Math.round(channels * scale);
      const blocks = [
        [64, 64],
        [128, 128],
        [256, 256, 256],
        [512, 512, 512],
        [512, 512, 512],
      ];
      let [macs, from, size] = [0, 3, 32];
      for (const block of blocks) {
        for (const channels of block.map(width)) {
          macs += size * size * 9 * from * channels;
          from = channels;
        }
        size /= 2;
      }
      return macs + width(512) * width(512) + width(512) * 10;
    };
    expect(countFlops(vggLike({ scale: 0.125, noise: false })).macs).toBe(byHand(0.125));
  });

  it('opens nested models and counts strides, padding, dilation and depthwise convolutions', () => {
    const inner = tf.sequential({
      layers: [
        tf.layers.conv2d({ name: 'strided', filters: 4, kernelSize: 3, strides: 2, inputShape: [9, 9, 2] }),
        tf.layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, padding: 'same', depthMultiplier: 2 }),
      ],
    });
    const model = tf.sequential({
      layers: [inner, tf.layers.conv2d({ name: 'dilated', filters: 3, kernelSize: 2, dilationRate: 2 })],
    });
    const { layers } = countFlops(model);
    expect(layers.map(({ name, macs }) => [name, macs])).toEqual([
      ['strided', 4 * 4 * 9 * 2 * 4],
      ['depthwise', 4 * 4 * 9 * 8],
      ['dilated', 2 * 2 * 4 * 8 * 3],
    ]);
  });

  it('says so where a model has no shapes yet', () => {
    const model = tf.sequential({ name: 'open' });
    expect(() => countFlops(model)).toThrow(ModelError);
    expect(() => countFlops(model)).toThrow(/'open' has no shapes yet/);
  });
});
