import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FileWeight, Json } from '../model-file.js';
import { modelFiles } from '../model-files.js';
import { buildModel } from './build-model.js';

beforeAll(() => tf.setBackend('cpu'));

type Record = { [key: string]: Json };
const input = (shape: Json = [null, 2], name = 'x') =>
  layer('InputLayer', name, { batch_input_shape: shape }, []);
const layer = (class_name: string, name: string, config: Record, inbound_nodes: Json = []): Json => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes,
});
const dense = (name: string, ...from: string[]) =>
  layer(
    'Dense',
    name,
    { units: 2 },
    from.map((from) => [[from, 0, 0, {}]]),
  );
const graph = (layers: Json[], output = 'y', name = 'm'): Json => ({
  class_name: 'Functional',
  config: { name, layers, input_layers: [['x', 0, 0]], output_layers: [[output, 0, 0]] },
});
const sequence = (layers: Json[], name = 's'): Json => ({
  class_name: 'Sequential',
  config: { name, layers },
});
const weight = (name: string, shape: number[]): FileWeight => ({
  name,
  shape,
  dtype: 'float32',
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
});
const weightsOf = (...names: string[]) =>
  names.flatMap((name) => [weight(`${name}/kernel`, [2, 2]), weight(`${name}/bias`, [2])]);
const build = (topology: Json, weights: FileWeight[] = []) =>
  buildModel({ origin: 'm.json', topology, weights });

describe('buildModel', () => {
  it('makes a graph of links in any order, with the weights by name', async () => {
    const model = await build(graph([dense('y', 'a'), dense('a', 'x'), input()]), weightsOf('y', 'a'));
    const y = model.predict(tf.tensor2d([[1, 10]])) as tf.Tensor;
    // a: [1, 10] → [20, 32]; y the same again
    expect(y.arraySync()).toEqual([[64, 117]]);
  });

  it('makes what tfjs makes', async () => {
    const x = tf.input({ shape: [4], name: 'x' });
    const shared = tf.layers.dense({ units: 4, name: 'shared' });
    const a = shared.apply(x) as tf.SymbolicTensor;
    const b = shared.apply(tf.layers.reLU({ name: 'r' }).apply(a)) as tf.SymbolicTensor;
    const inner = tf.sequential({
      name: 'inner',
      layers: [tf.layers.dense({ units: 3, inputShape: [4], name: 'i' })],
    });
    const lists = tf.layers
      .concatenate({ name: 'l' })
      .apply([inner.apply(a), inner.apply(b)] as tf.SymbolicTensor[]);
    const model = tf.model({ inputs: x, outputs: [lists as tf.SymbolicTensor, b] });
    const files = await modelFiles(model);
    const json = JSON.parse(new TextDecoder().decode(files['model.json']));
    const named = model.weights.map(({ originalName, shape }, i) => {
      const values = model.getWeights()[i]!;
      return {
        name: originalName,
        shape: shape as number[],
        dtype: 'float32' as const,
        data: values.dataSync<'float32'>(),
      };
    });
    const again = await build(json.modelTopology, named);
    const given = tf.randomNormal([5, 4], 0, 1, 'float32', 1);
    const [expected, found] = [model, again].map((model) =>
      (model.predict(given) as tf.Tensor[]).map((y) => y.arraySync()),
    );
    expect(found).toEqual(expected);
  });

  it('tells nested models with layers of one name apart, by the order of the file', async () => {
    const inner = (name: string) => ({
      ...(graph([input(), dense('d', 'x')], 'd', name) as Record),
      name,
      inbound_nodes: [[['x', 0, 0, {}]]],
    });
    const add = layer('Add', 'y', {}, [
      [
        ['p', 1, 0, {}],
        ['q', 1, 0, {}],
      ],
    ]);
    const [kernel, bias] = [weight('d/kernel', [2, 2]), weight('d/bias', [2])];
    const tenfold = { ...bias, data: bias.data.map((value) => value * 10) as Float32Array };
    const model = await build(graph([input(), inner('p'), inner('q'), add]), [kernel, bias, kernel, tenfold]);
    const y = model.predict(tf.zeros([1, 2])) as tf.Tensor;
    expect(y.arraySync()).toEqual([[0, 11]]);
  });

  it('leaves its tensors as they were where it fails, late or early', async () => {
    const before = tf.memory().numTensors;
    await expect(
      build(graph([input(), dense('a', 'x'), dense('y', 'none')]), weightsOf('y', 'a')),
    ).rejects.toThrow(/none/);
    await expect(build(graph([input(), dense('y', 'x')]), weightsOf('y', 'a'))).rejects.toThrow(/a\/kernel/);
    await expect(
      build(graph([input(), dense('y', 'x'), dense('y', 'x')]), weightsOf('y', 'a')),
    ).rejects.toThrow(/two layers/);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives tfjs back as it was', async () => {
    const { addWeight } = tf.layers.Layer.prototype as unknown as { addWeight: unknown };
    const entry = () => tf.serialization.SerializationMap.getMap().classNameMap.Functional![1];
    const before = entry();
    await build(graph([input(), dense('y', 'x')]), weightsOf('y'));
    await build(graph([input(), dense('y', 'nowhere')])).catch(() => {});
    expect((tf.layers.Layer.prototype as unknown as { addWeight: unknown }).addWeight).toBe(addWeight);
    expect(entry()).toBe(before);
  });

  const wide = weightsOf('y', 'a', 'b');
  const use = (name: string, index: Json, output: Json) =>
    layer('Dense', 'y', { units: 2 }, [[[name, index, output, {}]]]);
  it.each<[string, Json, RegExp]>([
    [
      'a dangling link',
      graph([input(), dense('y', 'none')]),
      /^layer 'y' takes its input from 'none', and there is no such layer/,
    ],
    [
      'a use that is not there',
      graph([input(), dense('a', 'x'), use('a', 7, 0)]),
      /'y' takes its input from use 7 of 'a', which has 1/,
    ],
    [
      'an output that is not there',
      graph([input(), dense('a', 'x'), use('a', 0, 3)]),
      /'y' asks for output 3 of use 0 of 'a'/,
    ],
    [
      'a circle',
      graph([input(), dense('a', 'b'), dense('b', 'y'), dense('y', 'a')]),
      /^layers 'a', 'b', 'y' take their inputs from each other in a circle/,
    ],
    ['a layer of itself', graph([input(), dense('y', 'y')]), /^layer 'y' takes its own output as its input/],
    [
      'behind a circle',
      graph([input(), dense('a', 'b'), dense('b', 'a'), dense('y', 'b')]),
      /^layers 'b', 'a' take|^layers 'a', 'b' take/,
    ],
    [
      'a circle in a nested model',
      graph([
        input(),
        { ...(graph([input(), dense('y', 'y')], 'y', 'n') as Record), name: 'n', inbound_nodes: [] },
      ]),
      /^layer 'y' takes its own output/,
    ],
    ['two of one name', graph([input(), dense('y', 'x'), dense('y', 'x')]), /^two layers are called 'y'/],
    [
      'two of one name in a row',
      sequence(
        [dense('a'), dense('a')].map((d, i) =>
          i
            ? d
            : {
                ...(d as Record),
                config: { ...((d as Record).config as Record), batch_input_shape: [null, 2] },
              },
        ),
      ),
      /^two layers are called 'a'/,
    ],
    [
      'two names for one',
      graph([input(), { ...(dense('y', 'x') as Record), name: 'z' }], 'z'),
      /^layer 'z' is called 'y' in its config/,
    ],
    [
      'a name of JavaScript',
      graph([input(), dense('toString', 'x')], 'toString'),
      /^a layer can't be called 'toString'/,
    ],
    [
      'a name tfjs lacks',
      graph([input(), dense('my layer', 'x')], 'my layer'),
      /^layer 'my layer' has weights, so that tfjs takes only letters/,
    ],
    ['no output', graph([input(), dense('y', 'x')], 'z'), /^the model asks for output 0 of use 0 of 'z'/],
    [
      'a class that nobody has',
      graph([input(), layer('Warp', 'y', {}, [[['x', 0, 0, {}]]])]),
      /^it has a layer of the class Warp, which neither tfjs nor sbp has \(layer 'y'\)/,
    ],
    [
      'a class that is no layer',
      graph([input(), layer('Zeros', 'y', {}, [[['x', 0, 0, {}]]])]),
      /^layer 'y': Zeros is not a layer/,
    ],
    [
      'a class of JavaScript',
      graph([input(), layer('valueOf', 'y', {}, [[['x', 0, 0, {}]]])]),
      /of the class valueOf, which neither/,
    ],
    ['no layers', graph([]), /^config\.layers is \[\]; expected at least 1 in it/],
    [
      'links of no list',
      graph([input(), layer('Dense', 'y', { units: 2 }, [['x']])]),
      /^config\.layers\[1\]\.inbound_nodes\[0\]\[0\] is "x"; expected a list/,
    ],
    [
      'a class without a model',
      { class_name: 'Dense', config: {} },
      /^its modelTopology is of the class 'Dense'; expected 'Functional'/,
    ],
    [
      'a size of 8.5',
      graph([input([null, 8.5]), dense('y', 'x')]),
      /^layer 'x': batch_input_shape is \[null,8\.5\]; expected whole numbers above 0/,
    ],
    [
      'a tensor too large',
      graph([input([null, 1e9, 1e9]), dense('y', 'x')]),
      /^layer 'x' gives \[open, 1000000000, 1000000000\]; no tensor is as large/,
    ],
    [
      'an input too small',
      graph([input([null, 2, 2, 1]), layer('MaxPooling2D', 'y', { pool_size: [5, 5] }, [[['x', 0, 0, {}]]])]),
      /^layer 'y' gives \[open, .*\]; expected whole numbers above 0: is the input too small/,
    ],
    [
      'absurd filters',
      graph([
        input([null, 6, 6, 2]),
        layer('Conv2D', 'y', { filters: 1e7, kernel_size: [3, 3] }, [[['x', 0, 0, {}]]]),
      ]),
      /^layer 'y' would have a weight 'kernel' of the shape \[3, 3, 2, 10000000\], and the file's is of the shape \[2, 2\]/,
    ],
    [
      'absurd units of a cell',
      graph([input([null, 6, 2]), layer('LSTM', 'y', { units: 1e6 }, [[['x', 0, 0, {}]]])]),
      /^layer 'y.*' would have a weight 'kernel' of the shape \[2, 4000000\]/,
    ],
    [
      'an axis far out',
      graph([
        input([null, 2, 2, 1]),
        layer('PReLU', 'y', { shared_axes: [1, 2147483647] }, [[['x', 0, 0, {}]]]),
      ]),
      /^layer 'y' would have a weight 'alpha' of 2147483647 axes; expected at most 8/,
    ],
    [
      'absurd state',
      graph([input([1e9, 6, 1]), layer('LSTM', 'y', { units: 1, stateful: true }, [[['x', 0, 0, {}]]])]),
      /^it has stateful layers and batches of 1000000000/,
    ],
    [
      'an activation of nobody',
      graph([input(), layer('Dense', 'y', { units: 2, activation: 'warp' }, [[['x', 0, 0, {}]]])]),
      /^layer 'y': Unknown activation: warp\.$/,
    ],
    [
      'units of a word',
      graph([input(), layer('Dense', 'y', { units: 'two' }, [[['x', 0, 0, {}]]])]),
      /^layer 'y': .*units/,
    ],
    [
      'no input shape',
      sequence([dense('a')]),
      /^layer 'a': The first layer in a Sequential model must get an `inputShape`/,
    ],
  ])('refuses %s', async (_, topology, line) => {
    const error = await build(topology, wide).then(
      () => new Error('opened'),
      (error: Error) => error,
    );
    expect(error.message).toMatch(line);
    expect(error.name).toBe('ModelFileError');
  });

  it.each<[string, FileWeight[], RegExp]>([
    [
      'a weight too many',
      weightsOf('y', 'z'),
      /^it has a weight 'z\/kernel', for which no layer has a place/,
    ],
    ['a weight too few', [weight('y/kernel', [2, 2]), weight('y/none', [2])], /weight 'y\/none', for which/],
    [
      'another shape',
      [weight('y/kernel', [4, 1]), weight('y/bias', [2])],
      /^weight 'y\/kernel' is of the shape \[4, 1\], and its layer takes one of \[2, 2\]/,
    ],
    ['the same twice', [...weightsOf('y'), weight('y/bias', [2])], /weight 'y\/bias', for which no layer/],
  ])('refuses %s', async (_, weights, line) => {
    await expect(build(graph([input(), dense('y', 'x')]), weights)).rejects.toThrow(line);
  });

  it('says which weights are missing', async () => {
    const bn = layer('BatchNormalization', 'y', {}, [[['x', 0, 0, {}]]]);
    const some = ['gamma', 'beta', 'moving_mean'].map((name) => weight(`y/${name}`, [2]));
    await expect(build(graph([input(), bn]), some)).rejects.toThrow(
      /^layer 'y' would have a weight 'moving_variance' of the shape \[2\], and the file has none for it/,
    );
  });

  it('opens models nested in models, but not those that multiply', async () => {
    const nest = (depth: number): Json => {
      if (depth === 0) return graph([input(), layer('ReLU', 'y', {}, [[['x', 0, 0, {}]]])], 'y', 'n0');
      const inner = { ...(nest(depth - 1) as Record), name: `n${depth - 1}` };
      const first = { ...inner, inbound_nodes: [[['x', 0, 0, {}]], [[`n${depth - 1}`, 1, 0, {}]]] };
      return {
        class_name: 'Functional',
        config: {
          name: `n${depth}`,
          layers: [input(), first],
          input_layers: [['x', 0, 0]],
          output_layers: [[`n${depth - 1}`, 2, 0]],
        },
      };
    };
    expect((await build(nest(5))).outputs[0]!.shape).toEqual([null, 2]);
    const began = performance.now();
    await expect(build(nest(40))).rejects.toThrow(/uses more than 5000 layers, nested models opened/);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('opens wrappers in wrappers, but not those that multiply', async () => {
    const wrap = (depth: number): Json =>
      depth === 0
        ? { class_name: 'LSTM', config: { name: 'l', units: 1, return_sequences: true } }
        : { class_name: 'Bidirectional', config: { name: `b${depth}`, layer: wrap(depth - 1) } };
    const outer = { ...(wrap(40) as Record), name: 'b40', inbound_nodes: [[['x', 0, 0, {}]]] };
    const began = performance.now();
    await expect(build(graph([input([null, 3, 2]), outer], 'b40'))).rejects.toThrow(
      /layers in more than 6 wrappers/,
    );
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('does not try chains of layers that would keep tfjs busy for ever', async () => {
    const links = (i: number): Json => [[[i ? `r${i - 1}` : 'x', 0, 0, {}]]];
    const chain = Array.from({ length: 20_000 }, (_, i) => layer('ReLU', `r${i}`, {}, links(i)));
    await expect(build(graph([input(), ...chain], 'r19999'))).rejects.toThrow(
      /^model 'm' uses more than 5000 layers/,
    );
  });
});
