import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { compile } from './compile.js';
import { describeOnTensorflow, expectSame, plain } from './tensorflow.test-support.js';
import { isTracing } from './tracing.js';

const graphs = () => (tf.backend() as unknown as { getNumOfSavedModels(): number }).getNumOfSavedModels();
const alive = () => ({ tensors: tf.memory().numTensors, data: tf.backend().numDataIds() });
const vector = (...numbers: number[]) => tf.tensor1d(numbers);

describeOnTensorflow('a compiled function', () => {
  it('gives tensors in the arrangement, and identity, in which the function does', () => {
    const fn = (x: tf.Tensor, y: { deep: [tf.Tensor] }) => {
      const sum = tf.add(x, y.deep[0]);
      return { sum, again: sum, same: sum.clone(), x, nested: [{ y: y.deep[0] }, undefined], none: null };
    };
    const compiled = compile(
      fn as (x: tf.Tensor, y: { deep: [tf.Tensor] }) => { sum: tf.Tensor; again: tf.Tensor },
    );
    const [x, y] = [vector(1, 2), vector(3, 4)];
    for (const _ of [1, 2, 3]) {
      const found = compiled(x, { deep: [y] });
      expect(plain(found)).toEqual(plain(fn(x, { deep: [y] })));
      expect(found.again).toBe(found.sum);
      expect(found).toMatchObject({ x, nested: [{ y }, undefined], none: null });
    }
    expect(Object.keys(compiled(x, { deep: [y] }))).toEqual(['sum', 'again', 'same', 'x', 'nested', 'none']);
    compiled.dispose();
  });

  it('tells inputs that share data, or are one tensor, from each other', () => {
    const compiled = compile((a: tf.Tensor, b: tf.Tensor) => tf.sub(tf.mul(a, 2), b));
    const x = vector(5);
    expect([...compiled(x, x).dataSync()]).toEqual([5]);
    expect([...compiled(x, x.clone()).dataSync()]).toEqual([5]);
    expect([...compiled(x, vector(1)).dataSync()]).toEqual([9]);
    compiled.dispose();
  });

  it('runs once more for inputs of another shape, dtype or arrangement, and only then makes a graph', () => {
    const before = graphs();
    let calls = 0;
    const compiled = compile((x: tf.Tensor | [tf.Tensor]) => {
      calls++;
      expect(isTracing()).toBe(true);
      return tf.add(Array.isArray(x) ? x[0] : (x as tf.Tensor), tf.scalar(1));
    });
    const inputs = [
      vector(1),
      vector(1, 2),
      tf.scalar(1),
      tf.tensor1d([1], 'int32'),
      [vector(1)] as [tf.Tensor],
    ];
    for (const [i, input] of inputs.entries()) {
      compiled(input);
      expect({ calls, graphs: graphs() - before }).toEqual({ calls: 2 * (i + 1), graphs: i + 1 });
    }
    for (let i = 2; i <= 12; i++) compiled(inputs[0] as tf.Tensor);
    // Checked at the 2nd and the 10th call.
    expect({ calls, graphs: graphs() - before }).toEqual({ calls: 12, graphs: 5 });
    expect(isTracing()).toBe(false);
    compiled.dispose();
    expect(graphs()).toBe(before);
    expect(() => compiled(inputs[0] as tf.Tensor)).toThrow(/after its dispose/);
    compiled.dispose();
  });

  it('leaves no temporary folder and, over 300 calls, no tensor', async () => {
    const { mkdtempSync, readdirSync, rmSync } = process.getBuiltinModule('node:fs');
    const { tmpdir } = process.getBuiltinModule('node:os');
    const { TMPDIR } = process.env;
    const folder = mkdtempSync(`${tmpdir()}/compile-test-`);
    process.env.TMPDIR = folder;
    const compiled = compile((x: tf.Tensor) => [tf.neg(x), x] as const);
    const x = vector(1, 2, 3);
    tf.dispose(compiled(x)[0]);
    expect(readdirSync(folder)).toEqual([]);
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(folder, { recursive: true });
    const before = alive();
    const { getNumOfTFTensors } = tf.backend() as unknown as { getNumOfTFTensors(): number };
    const held = getNumOfTFTensors.call(tf.backend());
    for (let i = 0; i < 300; i++) compiled(x)[0].dispose();
    expect(alive()).toEqual(before);
    expect(getNumOfTFTensors.call(tf.backend())).toBe(held);
    compiled.dispose();
  });

  it('puts its tensors in the tidy around it, but for those that are kept', () => {
    const compiled = compile((x: tf.Tensor) => [tf.neg(x), tf.keep(tf.square(x))] as const);
    const x = vector(1, 2);
    let given: readonly tf.Tensor[] = [];
    tf.tidy(() => {
      given = compiled(x);
    });
    const [negative, kept] = given as [tf.Tensor, tf.Tensor];
    expect(negative.isDisposed).toBe(true);
    expect([...kept.dataSync()]).toEqual([1, 4]);
    compiled.dispose();
  });

  it('disposes of an input that the function disposes of', () => {
    const compiled = compile((x: tf.Tensor) => {
      const y = tf.neg(x);
      x.dispose();
      return y;
    });
    for (const _ of [1, 2, 3]) {
      const x = vector(4);
      expect([...compiled(x).dataSync()]).toEqual([-4]);
      expect(x.isDisposed).toBe(true);
    }
    compiled.dispose();
  });

  it('has gradients, because it runs as it is where they are asked for', () => {
    const compiled = compile((x: tf.Tensor) => tf.sum(tf.square(x)));
    const x = vector(1, 2, 3);
    compiled(x);
    expect([
      ...tf
        .grad((y: tf.Tensor) => compiled(tf.mul(y, 2)))(x)
        .dataSync(),
    ]).toEqual([8, 16, 24]);
    compiled.dispose();
  });

  it('becomes part of the graph of a compiled function that calls it', () => {
    const before = graphs();
    const inner = compile((x: tf.Tensor) => tf.square(x));
    const outer = compile((x: tf.Tensor) => tf.neg(inner(x)));
    expect([...outer(vector(2, 3)).dataSync()]).toEqual([-4, -9]);
    expect(graphs() - before).toBe(1);
    outer.dispose();
    inner.dispose();
  });

  it('takes tensors of another engine', async () => {
    const compiled = compile((x: tf.Tensor) => tf.neg(x));
    await tf.setBackend('cpu');
    const x = tf.square(vector(2, 3));
    expect([...compiled(x).dataSync()]).toEqual([-4, -9]);
    await tf.setBackend('tensorflow');
    expect([...compiled(x).dataSync()]).toEqual([-4, -9]);
    compiled.dispose();
  });

  it('handles gradients, custom gradients, kept tensors and variables made inside', () => {
    const cube = tf.customGrad(((x: tf.Tensor, save: (tensors: tf.Tensor[]) => void) => {
      save([x]);
      return {
        value: tf.mul(tf.square(x), x),
        gradFunc: (dy: tf.Tensor, [saved]: [tf.Tensor]) => tf.mul(dy, tf.mul(tf.square(saved), 3)),
      };
      // biome-ignore lint/suspicious/noExplicitAny: tfjs types it for one that takes a list of tensors only
    }) as any);
    const fn = (x: tf.Tensor) => {
      const w = tf.variable(tf.mul(x, 2));
      const { value, grads } = tf.variableGrads(() => tf.sum(cube(w)), [w]);
      const kept = tf.keep(tf.relu(tf.sub(w, 3)));
      const hessian = tf.grad((y) => tf.sum(tf.grad((z) => tf.sum(tf.pow(z, 3)))(y)))(x);
      w.assign(tf.add(w, 1));
      const result = { value, gradient: grads[w.name] as tf.Tensor, sum: tf.add(kept, w), hessian };
      w.dispose();
      kept.dispose();
      return result;
    };
    const compiled = compile(fn);
    const before = alive();
    for (const x of [vector(1, 2), vector(-3, 0.5)]) {
      const [found, expected] = [compiled(x), tf.tidy(() => fn(x))];
      expectSame(found, expected);
      tf.dispose([x, found, expected]);
    }
    compiled.dispose();
    expect(alive()).toEqual(before);
  });

  it('reads and assigns to the variables that it is told of', () => {
    const w = tf.variable(vector(1, 2));
    const untouched = tf.variable(vector(10, 10));
    const step = compile(
      (x: tf.Tensor) => {
        w.assign(tf.add(w, tf.mul(x, untouched)));
        return { before: tf.sum(w), w };
      },
      { variables: [w, untouched, w] },
    );
    const x = vector(1, -1);
    for (const [i, expected] of [
      [11, -8],
      [21, -18],
      [31, -28],
    ].entries()) {
      const held = alive();
      const { before, w: given } = step(x);
      expect([...w.dataSync()]).toEqual(expected);
      expect(given).toBe(w);
      before.dispose();
      if (i > 0) expect(alive()).toEqual(held);
    }
    untouched.assign(vector(0, 1));
    tf.dispose(step(x));
    expect([...untouched.dataSync()]).toEqual([0, 1]);
    step.dispose();
    tf.dispose([w, untouched, x]);
  });

  it("runs a LayersModel, and an optimizer's step, through their variables", () => {
    const make = () => {
      const model = tf.sequential({
        layers: [
          tf.layers.conv2d({
            inputShape: [8, 8, 1],
            filters: 3,
            kernelSize: 3,
            activation: 'relu',
            kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
          }),
          tf.layers.batchNormalization(),
          tf.layers.flatten(),
          tf.layers.dense({ units: 4, kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }) }),
        ],
      });
      const optimizer = tf.train.adam(0.01);
      const step = (x: tf.Tensor, y: tf.Tensor) =>
        optimizer.minimize(
          () => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor),
          true,
        ) as tf.Scalar;
      return { model, optimizer, step };
    };
    const x = tf.randomUniform([6, 8, 8, 1], 0, 1, 'float32', 3);
    const y = tf.oneHot(tf.tensor1d([0, 1, 2, 3, 0, 1], 'int32'), 4).toFloat();
    const eager = make();
    const before = new Set(Object.values(tf.engine().registeredVariables));
    const compiled = make();
    eager.step(x, y);
    // An optimizer makes some of its variables in its first step.
    compiled.step(x, y);
    const variables = Object.values(tf.engine().registeredVariables).filter((v) => !before.has(v));
    const weights = compiled.model.getWeights() as tf.Variable[];
    const step = compile(compiled.step, { variables });
    const predict = compile((images: tf.Tensor) => compiled.model.predict(images) as tf.Tensor, {
      variables: weights,
    });
    for (let i = 0; i < 5; i++) expectSame(step(x, y), eager.step(x, y));
    expectSame(compiled.model.getWeights(), eager.model.getWeights(), 1e-5);
    expectSame(predict(x), eager.model.predict(x), 1e-5);
    step.dispose();
    predict.dispose();
  });

  it('is freed when nobody can reach it any more', async () => {
    if (!globalThis.gc) {
      process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
      globalThis.gc = process.getBuiltinModule('node:vm').runInNewContext('gc');
    }
    const before = graphs();
    (() => compile((x: tf.Tensor) => tf.neg(x))(vector(1)))();
    expect(graphs()).toBe(before + 1);
    for (let i = 0; i < 50 && graphs() > before; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      globalThis.gc?.();
    }
    expect(graphs()).toBe(before);
  });
});
