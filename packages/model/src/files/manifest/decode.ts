import type { FileWeight } from '../model-file.js';
import type { WeightSpec } from './model-json.js';

/** A weight from its bytes, which it keeps a view of where it can. */
export function decode({ name, shape, dtype, quantization }: WeightSpec, bytes: Uint8Array): FileWeight {
  const data = quantization ? dequantised(dtype, quantization, bytes) : plain(dtype, bytes);
  return { name, shape, dtype, data };
}

function plain(dtype: FileWeight['dtype'], bytes: Uint8Array): FileWeight['data'] {
  if (dtype === 'bool') return bytes;
  const { buffer, byteOffset, length } = aligned(bytes, 4);
  return dtype === 'int32'
    ? new Int32Array(buffer, byteOffset, length / 4)
    : new Float32Array(buffer, byteOffset, length / 4);
}

function dequantised(
  dtype: FileWeight['dtype'],
  quantization: NonNullable<WeightSpec['quantization']>,
  bytes: Uint8Array,
): FileWeight['data'] {
  const { buffer, byteOffset, length } = aligned(bytes, 2);
  const whole = quantization.dtype === 'uint8' ? bytes : new Uint16Array(buffer, byteOffset, length / 2);
  const out = new (dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array)(
    whole.length,
  );
  if (quantization.dtype === 'float16') {
    for (let i = 0; i < out.length; i++) out[i] = halves()[whole[i]!]!;
    return out;
  }
  const { scale, min } = quantization;
  const round = dtype === 'float32' ? (value: number) => value : Math.round;
  for (let i = 0; i < out.length; i++) out[i] = round(whole[i]! * scale + min);
  return out;
}

/** Typed arrays begin at multiples of their values' size; weights of one byte a value may shift those behind them. */
function aligned(bytes: Uint8Array, to: number): Uint8Array {
  return bytes.byteOffset % to === 0 ? bytes : bytes.slice();
}

let table: Float32Array | undefined;

/** What each of the 65,536 float16 numbers is. */
function halves(): Float32Array {
  if (table) return table;
  table = new Float32Array(0x10000);
  for (let bits = 0; bits < table.length; bits++) {
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 0x1f
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = bits & 0x8000 ? -size : size;
  }
  return table;
}
