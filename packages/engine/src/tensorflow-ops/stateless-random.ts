import { philox4x32 } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { dtypeAttr, type NodeBackend } from './node-backend.js';

const normalOp = 'StatelessRandomNormal';
const uniformOp = 'StatelessRandomUniform';
type Op = typeof normalOp | typeof uniformOp;

/**
 * Standard normal numbers as a pure function of a seed: the same on every engine to float32 rounding, and TensorFlow's own
 * `tf.random.stateless_normal`. In a compiled function the seed may be an argument, so that a graph draws anew at each call.
 *
 * @param shape of the result, float32
 * @param seed [2], int32; any two numbers will do, close ones give unrelated draws
 * @param skip leaves out this many of the seed's numbers at the front: with it, parts of a tensor can be drawn apart
 */
export function statelessNormal(shape: number[], seed: tf.Tensor1D, skip = 0): tf.Tensor {
  return draw(normalOp, shape, seed, skip);
}

/** Uniform numbers in [0, 1), multiples of 2⁻²³, as {@link statelessNormal} draws normal ones. */
export function statelessUniform(shape: number[], seed: tf.Tensor1D, skip = 0): tf.Tensor {
  return draw(uniformOp, shape, seed, skip);
}

function draw(op: Op, shape: number[], seed: tf.Tensor1D, skip: number): tf.Tensor {
  tf.util.assert(
    seed.dtype === 'int32' && seed.shape.length === 1 && seed.shape[0] === 2,
    () => `the seed is ${seed.dtype} of shape [${seed.shape}]; expected int32 of shape [2].`,
  );
  const size = tf.util.sizeFromShape(shape);
  if (!tf.getKernel(op as never, tf.getBackend())) {
    const numbers = new Float32Array(size);
    fill(op, seed.dataSync<'int32'>(), skip, numbers);
    return tf.tensor(numbers, shape);
  }
  return tf.tidy(() => {
    if (skip === 0) return tf.engine().runKernel(op, { seed }, { shape }) as tf.Tensor;
    const all = tf.engine().runKernel(op, { seed }, { shape: [skip + size] }) as tf.Tensor1D;
    return tf.reshape(tf.slice(all, skip, size), shape);
  });
}

export function registerStatelessRandom(): void {
  for (const op of [normalOp, uniformOp])
    tf.registerKernel({
      kernelName: op,
      backendName: 'tensorflow',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const node = backend as unknown as NodeBackend;
        const shape = tf.tensor1d(attrs?.shape as number[], 'int32');
        const types = (
          [
            ['dtype', 'float32'],
            ['T', 'int32'],
            ['Tseed', 'int32'],
          ] as const
        ).map(([name, dtype]) => dtypeAttr(node, name, dtype));
        const result = node.executeSingleOutput(op, types, [shape, inputs.seed as tf.Tensor]);
        shape.dispose();
        return result;
      },
    });
}

/**
 * What TensorFlow does (core/kernels/stateless_random_ops.cc, `GenerateKey`, and core/lib/random): the seed, scrambled by one block of Philox,
 * gives key and counter; each further block gives four numbers.
 */
function fill(op: Op, seed: Int32Array, skip: number, out: Float32Array): void {
  const [low, high] = seed as unknown as [number, number];
  const mix = new Uint32Array(4);
  // 32-bit seeds count as 64-bit ones, sign included
  philox4x32(low >>> 0, (low >> 31) >>> 0, high >>> 0, (high >> 31) >>> 0, 0x3ec8f720, 0x02461e29, mix);
  const [key0, key1, counter2, counter3] = mix as unknown as [number, number, number, number];
  const block = new Uint32Array(4);
  const four = new Float32Array(4);
  const first = Math.floor(skip / 4);
  for (let b = first; 4 * b < skip + out.length; b++) {
    philox4x32(b, 0, counter2, counter3, key0, key1, block);
    if (op === uniformOp) for (let i = 0; i < 4; i++) four[i] = toUniform(block[i] as number);
    else {
      boxMuller(block[0] as number, block[1] as number, four, 0);
      boxMuller(block[2] as number, block[3] as number, four, 2);
    }
    for (let i = Math.max(0, skip - 4 * b); i < 4; i++) {
      const at = 4 * b + i - skip;
      if (at < out.length) out[at] = four[i] as number;
    }
  }
}

const toUniform = (word: number) => (word & 0x7fffff) * 2 ** -23;

function boxMuller(word0: number, word1: number, out: Float32Array, at: number): void {
  const radius = Math.sqrt(-2 * Math.log(Math.max(toUniform(word0), 1e-7)));
  const angle = 2 * Math.PI * toUniform(word1);
  out[at] = radius * Math.sin(angle);
  out[at + 1] = radius * Math.cos(angle);
}
