import * as tf from '@tensorflow/tfjs';
import { type Block, blockOf, floats, sizeOf, type WasmBackend, withScratch } from './heap.js';
import { stockKernel } from './registry.js';
import { transpose } from './transpose.js';
import { cost, type Epilogue, xnnpack } from './xnnpack.js';

/**
 * out [m, n] = a · b, where a is stored as [k, m] if `transposeA` and b as [n, k] if `transposeB`. XNNPACK multiplies plain
 * matrices only, and packs the right one first; so either the operand that lies the wrong way is transposed, or the transposed
 * product is computed with the roles swapped, whichever moves less. Both add in the same order, so they agree to the bit.
 *
 * @param keepPacked that `b` will be, or has been, used again: its packing is kept under its number, so it costs nothing
 */
export function multiply(
  backend: WasmBackend,
  { a, b, out }: { a: Block; b: Block; out: Block },
  { m, k, n }: { m: number; k: number; n: number },
  {
    transposeA,
    transposeB,
    keepPacked = false,
  }: { transposeA: boolean; transposeB: boolean; keepPacked?: boolean },
): void {
  const xnn = xnnpack(backend);
  const plain =
    (transposeA ? cost.move(a.size) : 0) +
    (transposeB ? cost.move(b.size) : 0) +
    cost.packMatrix(b.size) +
    cost.gemm(m, k, n);
  const swapped =
    (transposeA ? 0 : cost.move(a.size)) +
    (transposeB ? 0 : cost.move(b.size)) +
    cost.packMatrix(a.size) +
    cost.gemm(n, k, m) +
    cost.move(out.size);
  const isPlain = !transposeA && !transposeB;
  if (isPlain && (keepPacked || plain <= swapped)) {
    xnn.matMul(a, b, out, m, k, n);
    return;
  }
  withScratch(backend, (scratch) => {
    const transposed = (block: Block, rows: number, columns: number): Block => {
      const result = scratch.allocate(block.size);
      transpose(floats(backend, block), floats(backend, result), rows, columns);
      return result;
    };
    if (plain <= swapped) {
      const left = transposeA ? transposed(a, k, m) : a;
      const right = transposeB ? transposed(b, n, k) : scratch.view(b, 0, b.size);
      xnn.matMul(left, right, out, m, k, n);
    } else {
      const left = transposeB ? b : transposed(b, k, n);
      const right = transposeA ? scratch.view(a, 0, a.size) : transposed(a, m, k);
      const product = scratch.allocate(out.size);
      xnn.matMul(left, right, product, n, k, m);
      transpose(floats(backend, product), floats(backend, out), n, m);
    }
  });
}

interface MatMulArgs {
  inputs: tf.NamedTensorInfoMap;
  attrs?: tf.NamedAttrMap;
  backend: unknown;
}

/** Shapes of `a` and `b` as lists of matrices, and of the product. */
function matMulShapes(a: tf.TensorInfo, b: tf.TensorInfo, transposeA: boolean, transposeB: boolean) {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [kOfB, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== kOfB) {
    throw new Error(
      `matMul: inner sizes ${k} and ${kOfB} of shapes [${a.shape}] and [${b.shape}] (transposeA ${transposeA}, ` +
        `transposeB ${transposeB}) differ`,
    );
  }
  if (a.dtype !== 'float32' || b.dtype !== 'float32') {
    throw new Error(
      `matMul on the wasm engine takes float32, got ${a.dtype} and ${b.dtype}: cast with tf.cast first`,
    );
  }
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return { m, k, n, aCount: sizeOf(a.shape.slice(0, -2)), bCount: sizeOf(b.shape.slice(0, -2)), outer };
}

// The backend caches a packed right operand under its number alone, whatever its shape: a reshaped tensor shares the number and
// would be multiplied as if it still had the first shape. So remember the shape of the first use, and give others a number of their own.
// A tensor that comes a second time is likely to come again, as weights do at inference; in training they are new in every step.
const packedColumns = new WeakMap<object, number>();

function rightOperand(
  backend: WasmBackend,
  b: tf.TensorInfo,
  n: number,
  view: (block: Block) => Block,
): Block {
  const block = blockOf(backend, b);
  const first = packedColumns.get(b.dataId);
  if (first === undefined) packedColumns.set(b.dataId, n);
  return first === undefined || first === n ? block : view(block);
}

/** BatchMatMul: any batch sizes, either operand transposed. */
export function batchMatMul({ inputs, attrs, backend: anyBackend }: MatMulArgs): tf.TensorInfo {
  const backend = anyBackend as WasmBackend;
  const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
  const { transposeA = false, transposeB = false } = attrs as { transposeA?: boolean; transposeB?: boolean };
  const { m, k, n, aCount, bCount, outer } = matMulShapes(a, b, transposeA, transposeB);
  const out = backend.makeOutput([...outer, m, n], 'float32');
  const outBlock = blockOf(backend, out);
  const count = sizeOf(outer);
  if (m * n * count === 0) return out;
  if (k === 0) {
    floats(backend, outBlock).fill(0);
    return out;
  }
  withScratch(backend, (scratch) => {
    const whole = (block: Block): Block => scratch.view(block, 0, block.size);
    if (count === 1) {
      const keepPacked = packedColumns.has(b.dataId);
      const right = transposeB ? blockOf(backend, b) : rightOperand(backend, b, n, whole);
      multiply(
        backend,
        { a: blockOf(backend, a), b: right, out: outBlock },
        { m, k, n },
        { transposeA, transposeB, keepPacked },
      );
      return;
    }
    const [aBlock, bBlock] = [blockOf(backend, a), blockOf(backend, b)];
    for (let i = 0; i < count; i++) {
      const slices = {
        a: scratch.view(aBlock, (i % aCount) * m * k, m * k),
        b: scratch.view(bBlock, (i % bCount) * k * n, k * n),
        out: scratch.view(outBlock, i * m * n, m * n),
      };
      multiply(backend, slices, { m, k, n }, { transposeA, transposeB });
    }
  });
  return out;
}

// FusableActivation of tfjs-backend-wasm's kernels/types.ts.
const activations = ['linear', 'relu', 'relu6', 'prelu', 'leakyrelu', 'sigmoid', 'elu'];

/**
 * _FusedMatMul: as tfjs-backend-wasm's, but transposed or batched operands never reach its slow path, which adds the bias once for
 * every 48 of the inner size.
 */
export function fusedMatMul({ inputs, attrs, backend: anyBackend }: MatMulArgs): tf.TensorInfo {
  const backend = anyBackend as WasmBackend;
  const {
    a,
    b,
    bias,
    preluActivationWeights: prelu,
  } = inputs as Record<string, tf.TensorInfo | undefined> & {
    a: tf.TensorInfo;
    b: tf.TensorInfo;
  };
  const {
    transposeA = false,
    transposeB = false,
    activation = 'linear',
    leakyreluAlpha = 0,
  } = attrs as {
    transposeA?: boolean;
    transposeB?: boolean;
    activation?: string;
    leakyreluAlpha?: number;
  };
  const { m, k, n, aCount, bCount, outer } = matMulShapes(a, b, transposeA, transposeB);
  const count = sizeOf(outer);
  if (count !== 1 && prelu) {
    const linear = fusedMatMul({
      inputs: { ...inputs, preluActivationWeights: undefined! },
      attrs: { ...attrs, activation: 'linear' },
      backend,
    });
    const result = stockKernel('Prelu')({ inputs: { x: linear, alpha: prelu }, attrs: {}, backend });
    backend.disposeData(linear.dataId);
    return result as tf.TensorInfo;
  }
  const code = activations.indexOf(activation);
  if (code < 0)
    throw new Error(
      `fused matMul on the wasm engine has no activation '${activation}': apply it after the product`,
    );
  if (bias && bias.shape.length !== 1) {
    throw new Error(
      `fused matMul on the wasm engine takes a bias of rank 1, got shape [${bias.shape}]: add it after the product`,
    );
  }
  if (k === 0) throw new Error('fused matMul on the wasm engine needs an inner size of 1 or more, got 0');
  const epilogue: Epilogue = {
    activation: code,
    biasId: bias ? blockOf(backend, bias).id : 0,
    preluId: prelu ? blockOf(backend, prelu).id : 0,
    leakyreluAlpha,
  };
  const out = backend.makeOutput([...outer, m, n], 'float32');
  if (m * n * count === 0) return out;
  const outBlock = blockOf(backend, out);
  withScratch(backend, (scratch) => {
    const oriented = (block: Block, wrong: boolean, rows: number, columns: number): Block => {
      if (!wrong) return block;
      const result = scratch.allocate(block.size);
      transpose(floats(backend, block), floats(backend, result), rows, columns);
      return result;
    };
    const xnn = xnnpack(backend);
    for (let i = 0; i < count; i++) {
      const left =
        count === 1 ? blockOf(backend, a) : scratch.view(blockOf(backend, a), (i % aCount) * m * k, m * k);
      const right =
        count === 1 && !transposeB
          ? rightOperand(backend, b, n, (block) => scratch.view(block, 0, block.size))
          : scratch.view(blockOf(backend, b), (i % bCount) * k * n, k * n);
      const target = count === 1 ? outBlock : scratch.view(outBlock, i * m * n, m * n);
      xnn.fusedMatMul(
        oriented(left, transposeA, k, m),
        oriented(right, transposeB, n, k),
        target,
        m,
        k,
        n,
        epilogue,
      );
    }
  });
  return out;
}
