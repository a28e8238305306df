import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { decode } from './decode.js';
import type { WeightSpec } from './model-json.js';

beforeAll(() => tf.setBackend('cpu'));

const finite = { noNaN: true, noDefaultInfinity: true, min: -1e3, max: 1e3 };
const quantization = fc.option(
  fc.oneof(
    fc.constant({ dtype: 'float16' as const }),
    fc.record({
      dtype: fc.constantFrom('uint8' as const, 'uint16' as const),
      scale: fc.double(finite),
      min: fc.double(finite),
    }),
  ),
  { nil: undefined },
);
const spec = fc.record({
  dtype: fc.constantFrom('float32' as const, 'int32' as const, 'bool' as const),
  quantization,
  length: fc.nat(9),
});
const sizes = { float32: 4, int32: 4, bool: 1, float16: 2, uint16: 2, uint8: 1 };

it('reads weights as tfjs does, wherever their bytes begin', () => {
  fc.assert(
    fc.property(
      spec,
      fc.infiniteStream(fc.nat(255)),
      fc.nat(3),
      ({ dtype, quantization, length }, random, offset) => {
        // What tfjs refuses.
        fc.pre(
          !quantization || dtype === 'float32' || (dtype === 'int32' && quantization.dtype !== 'float16'),
        );
        const size = length * sizes[quantization?.dtype ?? dtype];
        const bytes = new Uint8Array(offset + size).map(() => random.next().value).subarray(offset);
        const weight: WeightSpec = {
          name: 'w',
          shape: [length],
          dtype,
          ...(quantization && { quantization }),
        };
        const { w } = tf.io.decodeWeights(bytes.slice().buffer, [weight as tf.io.WeightsManifestEntry]);
        expect([...decode(weight, bytes).data]).toEqual([...w!.dataSync()]);
        w!.dispose();
      },
    ),
    { numRuns: 500 },
  );
});

it('knows every float16', () => {
  const bits = new Uint16Array(0x10000).map((_, i) => i);
  const weight: WeightSpec = {
    name: 'w',
    shape: [bits.length],
    dtype: 'float32',
    quantization: { dtype: 'float16' },
  };
  const { w } = tf.io.decodeWeights(bits.slice().buffer, [weight as tf.io.WeightsManifestEntry]);
  expect(decode(weight, new Uint8Array(bits.buffer)).data).toEqual(w!.dataSync());
});

it('keeps a view where it can', () => {
  const bytes = new Uint8Array(16);
  const { data } = decode({ name: 'w', shape: [2], dtype: 'float32' }, bytes.subarray(8));
  expect(data.buffer).toBe(bytes.buffer);
});
