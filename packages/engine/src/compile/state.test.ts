import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { compile } from './compile.js';
import { describeOnTensorflow, plain } from './tensorflow.test-support.js';

const vector = (...numbers: number[]) => tf.tensor1d(numbers);
const numbers = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, item) => (item instanceof tf.Tensor ? [...item.dataSync()] : item)));

interface Counter {
  total: tf.Tensor;
  moments: [tf.Tensor, tf.Tensor];
  steps: tf.Tensor;
}
const initial = (): Counter => ({
  total: vector(1, 1),
  moments: [vector(1, 2), vector(3, 4)],
  steps: tf.scalar(0, 'int32'),
});
/** Swaps two of its tensors, hands one input on as state, counts, and tells the state that it was given. */
const step = ({ total, moments: [a, b], steps }: Counter, x: tf.Tensor) => ({
  state: { total: x, moments: [b, a] as [tf.Tensor, tf.Tensor], steps: tf.add(steps, tf.scalar(1, 'int32')) },
  last: total,
  mixed: tf.add(tf.mul(a, 10), b),
});

function behaves() {
  it('goes from call to call, also where tensors change places', () => {
    const compiled = compile(step, { state: initial() });
    expect(numbers(compiled(vector(5, 6)))).toEqual({ last: [1, 1], mixed: [13, 24] });
    expect(numbers(compiled(vector(7, 8)))).toEqual({ last: [5, 6], mixed: [31, 42] });
    expect(numbers(compiled(vector(9, 9)))).toEqual({ last: [7, 8], mixed: [13, 24] });
    expect(numbers(compiled.state())).toEqual({
      total: [9, 9],
      moments: [
        [3, 4],
        [1, 2],
      ],
      steps: [3],
    });
    compiled.dispose();
  });

  it('can be replaced, and neither it nor what is read of it is shared', () => {
    const first = initial();
    const compiled = compile(step, { state: first });
    tf.dispose(first as never);
    compiled(vector(5, 6));
    const read = compiled.state();
    compiled(vector(7, 8));
    expect(numbers(read)).toEqual({
      total: [5, 6],
      moments: [
        [3, 4],
        [1, 2],
      ],
      steps: [1],
    });
    compiled.setState(read);
    tf.dispose(read as never);
    expect(numbers(compiled.state())).toMatchObject({ total: [5, 6], steps: [1] });
    expect(numbers(compiled(vector(0, 0)))).toEqual({ last: [5, 6], mixed: [31, 42] });
    expect(numbers(compiled.state())).toMatchObject({ total: [0, 0], steps: [2] });
    compiled.dispose();
  });

  it('must keep its arrangement and shapes', () => {
    // biome-ignore lint/suspicious/noExplicitAny: what TypeScript forbids is tried
    const failing = (next: any) => () => compile(() => next(), { state: { w: vector(1, 2) } })();
    expect(failing(() => ({ state: { w: vector(1) } }))).toThrow(
      /the next state is {"w":float32\[1\]} where the first state is {"w":float32\[2\]}/,
    );
    expect(failing(() => ({ state: { v: vector(1, 2) } }))).toThrow(/the next state/);
    expect(failing(() => ({ state: { w: 3 } }))).toThrow(/the next state.w is the number 3/);
    expect(failing(() => vector(1, 2))).toThrow(/gives an object with the next one as its `state`/);
    const compiled = compile(step, { state: initial() });
    expect(() => compiled.setState({ ...initial(), steps: tf.scalar(1) })).toThrow(/the new state is/);
    compiled.dispose();
  });

  it('holds its tensors and no more', () => {
    const x = vector(5, 6);
    const count = () => tf.memory().numTensors;
    const compiled = compile(step, { state: initial() });
    const call = () => tf.tidy(() => void compiled(x));
    call();
    const before = count();
    for (let i = 0; i < 25; i++) call();
    expect(count()).toBe(before);
    tf.dispose(compiled.state() as never);
    expect(count()).toBe(before);
    compiled.dispose();
  });
}

describeOnTensorflow('a state in a graph', () => {
  it('is on TensorFlow', async () => {
    await tf.setBackend('tensorflow');
    expect(tf.getBackend()).toBe('tensorflow');
  });

  behaves();

  it('moves between the graphs of a function', () => {
    const compiled = compile(
      ({ sum }: { sum: tf.Tensor }, x: tf.Tensor) => ({ state: { sum: tf.add(sum, tf.sum(x)) } }),
      { state: { sum: tf.scalar(0) } },
    );
    for (const x of [vector(1), vector(2, 3), vector(4), vector(5, 6), vector(7)])
      expect(compiled(x)).toEqual({});
    expect(numbers(compiled.state())).toEqual({ sum: [28] });
    compiled.dispose();
  });

  it('holds every dtype and size', () => {
    const state = [tf.scalar(true), tf.tensor1d([1, 2], 'int32'), tf.zeros([0, 3]), tf.complex([1], [2])];
    const compiled = compile(
      (state: tf.Tensor[], x: tf.Tensor) => ({
        state: state.map((each) => tf.reshape(each, each.shape)),
        y: tf.neg(x),
      }),
      { state },
    );
    for (let i = 0; i < 3; i++) compiled(vector(1));
    expect(plain(compiled.state())).toEqual(plain(state));
    compiled.dispose();
  });

  it('does not keep the memory of what is fed', async () => {
    const compiled = compile((_: tf.Tensor, x: tf.Tensor) => ({ state: tf.reshape(x, [-1]) }), {
      state: tf.zeros([1000]),
    });
    let last: number[] = [];
    for (let i = 0; i < 200; i++) {
      last = Array.from({ length: 1000 }, (_, j) => i * 7 + j);
      const x = tf.tensor2d(Float32Array.from(last), [10, 100]);
      compiled(x);
      x.dispose();
      if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    expect([...compiled.state().dataSync()]).toEqual(last);
    compiled.dispose();
  });

  it('can not be inside of another compiled function', () => {
    const inner = compile(step, { state: initial() });
    const outer = compile((x: tf.Tensor) => inner(x).mixed);
    expect(() => outer(vector(1, 2))).toThrow(/with a state was called inside of another/);
    inner.dispose();
  });
});

describe('a state on the cpu engine', () => {
  it('is on the cpu engine', async () => {
    await tf.setBackend('cpu');
    expect(tf.getBackend()).toBe('cpu');
  });

  behaves();

  it('runs functions as they are, random ones too, and says what they may not give', () => {
    const compiled = compile((x: tf.Tensor) => ({
      y: tf.mul(x, Math.random()),
      read: tf.scalar(x.dataSync()[0] as number),
    }));
    const [a, b] = [compiled(vector(2)), compiled(vector(2))];
    expect(a.y.dataSync()[0]).not.toBe(b.y.dataSync()[0]);
    // biome-ignore lint/suspicious/noExplicitAny: what TypeScript forbids is tried
    expect(() => compile((() => 3) as any)()).toThrow(/the result is the number 3/);
    expect(() => compile(async () => tf.scalar(1))()).toThrow(/async/);
    compiled.dispose();
  });
});
