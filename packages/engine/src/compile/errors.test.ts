import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { compile } from './compile.js';
import { CompileError } from './error.js';
import { describeOnTensorflow } from './tensorflow.test-support.js';

/** The CompileError that a call throws, and the text of the line that it names. */
function failureOf(call: () => unknown): CompileError & { source?: string } {
  try {
    call();
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    expect(error.message).toMatch(/^compile: \S.*\.$/);
    const [, file, line] = /^(.*):(\d+):\d+$/.exec(error.line ?? '') ?? [];
    if (file) expect(error.message).toContain(error.line);
    const source = file && readFileSync(file, 'utf8').split('\n')[Number(line) - 1]?.trim();
    return Object.assign(error, { source });
  }
  throw new Error('it did not throw');
}

const vector = () => tf.tensor1d([1, 2, 3]);

describeOnTensorflow('what can not be a graph', () => {
  it('names a read-back and its line, synchronous or not, also if it is caught', () => {
    const bySync = failureOf(() =>
      compile(
        (x: tf.Tensor) => x.mul(x.dataSync()[0] as number), // read here
      )(vector()),
    );
    expect(bySync).toMatchObject({ code: 'read-back', source: expect.stringContaining('read here') });
    expect(bySync.message).toMatch(/numbers are read at .*errors\.test\.ts:\d+:\d+ .*compute with tensors/);

    const later: Promise<unknown>[] = [];
    const byPromise = failureOf(() =>
      compile((x: tf.Tensor) => {
        later.push(x.data()); // read later
        return x;
      })(vector()),
    );
    expect(byPromise).toMatchObject({ code: 'read-back', source: expect.stringContaining('read later') });

    const caught = failureOf(() =>
      compile((x: tf.Tensor) => {
        try {
          x.print(); // printed here
        } catch {}
        return x;
      })(vector()),
    );
    expect(caught).toMatchObject({ code: 'read-back', source: expect.stringContaining('printed here') });
  });

  it('lets JavaScript read what JavaScript wrote', () => {
    const compiled = compile((x: tf.Tensor) => x.mul(tf.tensor1d([4, 5, 6]).dataSync()[1] as number));
    expect([...compiled(vector()).dataSync()]).toEqual([5, 10, 15]);
  });

  it('names an async function', () => {
    const error = failureOf(() =>
      compile(async (x: tf.Tensor) => {
        await Promise.resolve();
        return x;
      })(vector()),
    );
    expect(error).toMatchObject({ code: 'result', message: expect.stringContaining('async') });
  });

  it('names a tensor from outside, whether TensorFlow has seen it or not, and its operation', () => {
    const outside = vector();
    const capture = compile((x: tf.Tensor) => tf.mul(x, outside)); // captured
    for (const _ of ['not uploaded yet', 'uploaded']) {
      const error = failureOf(() => capture(vector()));
      expect(error).toMatchObject({
        code: 'captured',
        op: 'Mul',
        source: expect.stringContaining('captured'),
      });
      expect(error.message).toMatch(/^compile: Mul at .* made outside .* pass it as an argument/);
      tf.neg(outside);
    }
    const given = failureOf(() => compile(() => outside)());
    expect(given).toMatchObject({ code: 'captured' });
    expect(given.message).toContain('the result');
  });

  it('names a variable from outside that is read or assigned to, and leaves it as it was', () => {
    const variable: tf.Variable = tf.variable(vector(), true, 'weights of errors.test');
    expect(failureOf(() => compile((x: tf.Tensor) => x.add(variable))(vector()))).toMatchObject({
      code: 'captured',
      op: 'Add',
      message: expect.stringContaining("option 'variables'"),
    });
    const assigning = failureOf(() =>
      compile((x: tf.Tensor) => {
        variable.assign(x.neg()); // assigned
      })(vector()),
    );
    expect(assigning).toMatchObject({ code: 'assign', source: expect.stringContaining('assigned') });
    expect(assigning.message).toContain("the variable 'weights of errors.test' is assigned to");
    expect([...variable.dataSync()]).toEqual([1, 2, 3]);
    variable.dispose();
  });

  it('names random numbers, where they are made and what reads them', () => {
    const error = failureOf(() =>
      compile((x: tf.Tensor) => {
        const noise = tf.randomNormal([3]); // drawn
        return tf.mul(x, noise); // used
      })(vector()),
    );
    expect(error).toMatchObject({ code: 'differs', op: 'Mul', source: expect.stringContaining('used') });
    expect(error.message).toMatch(/a tensor \[3\] that Mul at .* reads, made at .*errors\.test\.ts:\d+:\d+,/);
    expect(failureOf(() => compile((x: tf.Tensor1D) => tf.dropout(x, 0.5))(vector())).code).toBe('differs');
    expect(failureOf(() => compile((x: tf.Tensor) => x.mul(Math.random()))(vector())).code).toBe('differs');
    expect(failureOf(() => compile(() => tf.randomUniform([3]))()).message).toContain(
      'that the function gives',
    );
    const repeated = compile((x: tf.Tensor) => tf.mul(x, tf.randomNormal([3], 0, 1, 'float32', 42)));
    expect(repeated(vector()).shape).toEqual([3]);
  });

  it('names operations that draw in TensorFlow', () => {
    const error = failureOf(() =>
      compile((x: tf.Tensor1D) => tf.multinomial(x, 4, 3))(tf.tensor1d([0.5, 0.5])),
    );
    expect(error).toMatchObject({ code: 'random', op: 'Multinomial' });
  });

  it('names a number that changes between calls, at the second call', () => {
    let rate = 0.1;
    const step = compile((x: tf.Tensor) => tf.mul(x, rate)); // with a rate
    step(vector());
    rate = 0.05;
    const error = failureOf(() => step(vector()));
    expect(error).toMatchObject({
      code: 'differs',
      op: 'Mul',
      source: expect.stringContaining('with a rate'),
    });
  });

  it('names another course of operations', () => {
    let calls = 0;
    const other = failureOf(
      () => compile((x: tf.Tensor) => (calls++ ? tf.sub(x, 1) : tf.add(x, 1)))(vector()), // one or the other
    );
    expect(other).toMatchObject({
      code: 'differs',
      op: 'Sub',
      source: expect.stringContaining('one or the other'),
    });
    expect(other.message).toContain('runs Sub');
    expect(other.message).toContain('where it ran Add before');
    let flag = false;
    const result = failureOf(() =>
      compile((x: tf.Tensor) => {
        flag = !flag;
        return flag ? [x, tf.neg(x)] : [tf.neg(x), x];
      })(vector()),
    );
    expect(result.message).toContain('gives something else');
    const shorter = failureOf(() => compile((x: tf.Tensor) => (calls++ % 2 ? x : tf.neg(x)))(vector()));
    expect(shorter.message).toMatch(/stops earlier|runs Neg/);
    let cache: tf.Tensor | undefined;
    const caching = failureOf(() =>
      compile((x: tf.Tensor) => {
        cache ??= tf.keep(tf.ones([3]));
        return x.add(cache);
      })(vector()),
    );
    expect(caching).toMatchObject({ code: 'differs', cause: expect.any(Error) });
    expect(caching.message).toContain('keep a tensor from one call for the next?');
  });

  it('names a shape that depends on numbers', () => {
    const error = failureOf(() => compile((x: tf.Tensor) => tf.unique(x).values)(vector())); // unique
    expect(error).toMatchObject({
      code: 'dynamic-shape',
      op: 'UniqueV2',
      source: expect.stringContaining('// unique'),
    });
    const boxes = tf.tensor2d([[0, 0, 1, 1]]);
    expect(
      failureOf(() => compile((b: tf.Tensor2D) => tf.image.nonMaxSuppression(b, tf.ones([1]), 1))(boxes)),
    ).toMatchObject({ code: 'dynamic-shape', op: 'NonMaxSuppressionV3' });
  });

  it('names strings', () => {
    expect(failureOf(() => compile((x: tf.Tensor) => [x, tf.tensor1d(['a'])])(vector())).code).toBe('string');
    expect(failureOf(() => compile((x: tf.Tensor) => x)(tf.tensor1d(['a']))).code).toBe('string');
  });

  it('names what is not a tensor, going in and coming out', () => {
    // biome-ignore lint/suspicious/noExplicitAny: what TypeScript forbids is tried
    const call = (fn: any, ...inputs: any[]) => failureOf(() => compile(fn)(...(inputs as [])));
    expect(call((x: tf.Tensor) => x, 3)).toMatchObject({
      code: 'argument',
      message: expect.stringContaining('arguments[0] is the number 3'),
    });
    expect(call((x: tf.Tensor) => x, { a: [new Date(0)] }).message).toContain('arguments[0].a[0] is a Date');
    expect(call((x: tf.Tensor) => ({ loss: x, more: ['text'] }), vector())).toMatchObject({
      code: 'result',
      message: expect.stringContaining('the result.more[0] is the string text'),
    });
    expect(call(() => () => {}).message).toContain('a function');
    const gone = vector();
    gone.dispose();
    expect(call((x: tf.Tensor) => x, gone)).toMatchObject({ code: 'argument' });
    const disposing = (x: tf.Tensor) => {
      const y = tf.neg(x);
      y.dispose();
      return y;
    };
    expect(call(disposing, vector())).toMatchObject({
      code: 'result',
      message: expect.stringContaining('disposed'),
    });
  });

  it("passes the function's own errors on, at first and when the graph fails", () => {
    const own = compile((x: tf.Tensor) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D));
    expect(() => own(tf.ones([2, 3]))).toThrow(/Matrix size-incompatible/);
    const gather = compile((x: tf.Tensor, i: tf.Tensor) => tf.gather(x, i as tf.Tensor1D));
    expect([...gather(vector(), tf.tensor1d([2, 0], 'int32')).dataSync()]).toEqual([3, 1]);
    for (const _ of [2, 3]) {
      expect(() => gather(vector(), tf.tensor1d([2, 7], 'int32'))).toThrow(
        /indices\[1\] = 7 is not in \[0, 3\)/,
      );
    }
    expect([...gather(vector(), tf.tensor1d([1, 1], 'int32')).dataSync()]).toEqual([2, 2]);
  });

  it('leaves nothing behind when it throws', () => {
    const inputs = vector();
    const count = () => ({ tensors: tf.memory().numTensors, held: tf.backend().numDataIds() });
    const outside = tf.neg(inputs);
    const fails = () =>
      failureOf(() =>
        compile((x: tf.Tensor) => {
          const w = tf.variable(x);
          return tf.grad((y: tf.Tensor) => y.mul(w).square().mul(outside).sum())(x);
        })(inputs),
      );
    fails();
    const before = count();
    fails();
    expect(count()).toEqual(before);
  });
});
