import { leNet5, leNetFc, logNormalDropout, noisyConv2d, noisyDense } from '@sbp/layers';
import { compileConfigOf, loadModel, modelFiles } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { foldNoise, PruneError, pruneModel, withNoise } from './index.js';
import { difference, fill } from './testing/fill.js';
import { setNoise } from './testing/noise.js';

beforeAll(async () => {
  await tf.setBackend('wasm');
});

const below = (n: number) => (group: number) => group < n;
const notesOf = (report: ReturnType<typeof pruneModel>['report']) =>
  report.layers.flatMap(({ notes }) => notes);

describe('the published widths', () => {
  const cutLeNet5 = (conv1: number, conv2: number, flat: number, dense: number) => {
    const model = leNet5();
    fill(model, 1);
    setNoise(model, 'conv1', below(conv1));
    setNoise(model, 'conv2', below(conv2));
    // the first `flat` of the units whose channel stays
    setNoise(
      model,
      'flatten_noise',
      (unit) => unit % 50 < conv2 && Math.floor(unit / 50) * conv2 + (unit % 50) < flat,
    );
    setNoise(model, 'dense1', below(dense));
    return model;
  };

  it('LeNet-5 3-18-284-283 costs 10.77 times less with a gather, and 10.72 with rows of zeros', () => {
    const model = cutLeNet5(3, 18, 284, 283);
    const gathered = pruneModel(model, { gather: true });
    expect(gathered.report.widths).toEqual([3, 18, 284, 283]);
    expect(gathered.report.after.macs).toBe(3 * 25 * 576 + 18 * 75 * 64 + 284 * 283 + 2830);
    expect(gathered.report.reduction).toBeCloseTo(10.77, 1);
    expect(difference(model, gathered.model, 2)).toBeLessThan(1e-6);

    const { model: pruned, report } = pruneModel(model);
    expect(report.widths).toEqual([3, 18, 284, 283]);
    expect(report.layers[2]).toMatchObject({ groups: 800, kept: 284, present: 288 });
    expect(report.zeroRows).toEqual({ macs: 4 * 283, params: 4 * 283 });
    expect(report.after.macs - gathered.report.after.macs).toBe(4 * 283);
    expect(report.before).toEqual({ macs: 2_293_000, params: 431_080 });
    expect(difference(model, pruned, 2)).toBeLessThan(1e-6);
  });

  it('a channel of a convolution goes when all of its flattened units do', () => {
    const model = leNet5();
    fill(model, 3);
    setNoise(model, 'conv2', below(10));
    setNoise(model, 'flatten_noise', (unit) => unit % 50 >= 4);
    const { model: pruned, report } = pruneModel(model);
    expect(report.layers.slice(1, 3).map(({ above, kept, present }) => [above, kept, present])).toEqual([
      [10, 6, 6],
      [46 * 16, 96, 96],
    ]);
    expect(report.layers[1]!.notes[0]).toMatch(
      /^removed though above the threshold: 4 groups \('flatten_noise'/,
    );
    expect(pruned.getLayer('conv2').getWeights()[0]!.shape.at(-1)).toBe(6);
    expect(difference(model, pruned, 4)).toBeLessThan(1e-6);
  });

  it.each([
    ['SparseVD', 537, 217, 130, 3.73],
    ['SSL', 434, 174, 78, 6.06],
    ['StructuredBP', 245, 160, 55, 11.23],
  ])('LeNet-fc by %s, %i-%i-%i', (_, input, dense1, dense2, reduction) => {
    const model = leNetFc();
    fill(model, 5);
    setNoise(model, 'input_noise', (pixel) => (pixel * 5) % 784 < input);
    setNoise(model, 'dense1', below(dense1));
    setNoise(model, 'dense2', below(dense2));
    const { model: pruned, report } = pruneModel(model, { gather: true });
    expect(report.widths).toEqual([input, dense1, dense2]);
    expect(report.reduction).toBeCloseTo(reduction, 2);
    expect(difference(model, pruned, 6)).toBeLessThan(1e-6);
  });
});

describe('constants that removed groups leave behind', () => {
  it('go into the bias of a reader, which gets one where it has none', () => {
    const model = tf.sequential({
      layers: [
        noisyConv2d({
          name: 'conv',
          filters: 4,
          kernelSize: 3,
          activation: 'sigmoid',
          inputShape: [6, 6, 1],
        }),
        tf.layers.conv2d({ name: 'valid', filters: 3, kernelSize: 2, useBias: false, activation: 'relu' }),
        tf.layers.flatten({ name: 'flat' }),
        tf.layers.dense({ name: 'out', units: 2 }),
      ],
    });
    fill(model, 1);
    setNoise(model, 'conv', below(1));
    const { model: pruned, report } = pruneModel(model);
    expect(pruned.getLayer('conv').getWeights()[0]!.shape).toEqual([3, 3, 1, 1]);
    expect(
      pruned
        .getLayer('valid')
        .getWeights()
        .map(({ shape }) => shape),
    ).toEqual([[2, 2, 1, 3], [3]]);
    expect(notesOf(report)).toEqual([
      "removed with a constant other than 0 left behind: 3 groups (now in the bias of 'valid')",
    ]);
    expect(difference(model, pruned, 2)).toBeLessThan(1e-6);
  });

  it('keep the group where same padding would show them, and only there', () => {
    const model = (activation: 'sigmoid' | 'tanh', kernelSize: number) => {
      const chain = tf.sequential({
        layers: [
          noisyConv2d({ name: 'conv', filters: 4, kernelSize: 3, activation, inputShape: [6, 6, 1] }),
          tf.layers.conv2d({ name: 'same', filters: 3, kernelSize, padding: 'same' }),
        ],
      });
      fill(chain, 3);
      setNoise(chain, 'conv', below(1));
      return chain;
    };
    const edge = model('sigmoid', 3);
    const { model: pruned, report } = pruneModel(edge);
    expect(report.widths).toEqual([4]);
    expect(notesOf(report)).toEqual([
      "not removed though at 0: 3 groups (they leave a constant other than 0, which 'same' padding in 'same' would show at the edges)",
    ]);
    expect(difference(edge, pruned, 4)).toBeLessThan(1e-6);
    for (const free of [model('tanh', 3), model('sigmoid', 1)]) {
      const cut = pruneModel(free);
      expect(cut.report.widths).toEqual([1]);
      expect(difference(free, cut.model, 5)).toBeLessThan(1e-6);
    }
  });

  it('keep the group where they vary with position before a convolution, but not before a dense layer', () => {
    const model = (...rest: tf.layers.Layer[]) => {
      const chain = tf.sequential({
        layers: [
          noisyConv2d({
            name: 'conv',
            filters: 4,
            kernelSize: 3,
            activation: 'sigmoid',
            inputShape: [6, 6, 1],
          }),
          tf.layers.zeroPadding2d({ name: 'pad' }),
          tf.layers.averagePooling2d({ name: 'pool', poolSize: 2 }),
          ...rest,
        ],
      });
      fill(chain, 6);
      setNoise(chain, 'conv', below(2));
      return chain;
    };
    const read = model(tf.layers.conv2d({ name: 'valid', filters: 3, kernelSize: 2 }));
    const stays = pruneModel(read);
    expect(stays.report.widths).toEqual([4]);
    expect(notesOf(stays.report)[0]).toMatch(
      /^not removed though at 0: 2 groups \(the constant that they leave varies with position/,
    );
    expect(difference(read, stays.model, 7)).toBeLessThan(1e-6);

    const flat = model(tf.layers.flatten({ name: 'flat' }), tf.layers.dense({ name: 'out', units: 3 }));
    const goes = pruneModel(flat);
    expect(goes.report.widths).toEqual([2]);
    expect(difference(flat, goes.model, 8)).toBeLessThan(1e-6);
  });

  it('pass a batch normalisation that follows the noise, dropping what ReLU makes 0', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, useBias: false, inputShape: [6, 6, 1] }),
        logNormalDropout({ name: 'noise' }),
        tf.layers.batchNormalization({ name: 'bn' }),
        tf.layers.reLU({ name: 'relu' }),
        tf.layers.conv2d({ name: 'same', filters: 3, kernelSize: 3, padding: 'same' }),
      ],
    });
    fill(model, 9);
    // a layer's best group never goes: the third is for that
    setNoise(model, 'noise', (i) => i === 2);
    // β − γ·mean/d is −1 for the first channel, which ReLU makes 0, and 1 for the second, which it lets pass
    model.getLayer('bn').setWeights(
      [
        [1, 1, 1],
        [-1, 1, 0],
        [0, 0, 0],
        [1, 1, 1],
      ].map((values) => tf.tensor1d(values)),
    );
    const { model: pruned, report } = pruneModel(model);
    expect(report.widths).toEqual([2]);
    expect(difference(model, pruned, 10)).toBeLessThan(1e-6);
  });
});

describe('multipliers of what stays', () => {
  it('need a layer of their own only between two activations that they cannot pass', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ name: 'in', units: 6, activation: 'tanh', inputShape: [4] }),
        logNormalDropout({ name: 'noise' }),
        tf.layers.activation({ name: 'act', activation: 'sigmoid' }),
        tf.layers.dense({ name: 'out', units: 2 }),
      ],
    });
    fill(model, 11);
    setNoise(model, 'noise', below(4));
    const { model: pruned, report } = pruneModel(model);
    expect(pruned.layers.map((layer) => layer.getClassName())).toEqual([
      'InputLayer',
      'Dense',
      'BatchNormalization',
      'Activation',
      'Dense',
    ]);
    expect(notesOf(report).at(-1)).toMatch(/kept in a batchNormalization 'noise'/);
    expect(difference(model, pruned, 12)).toBeLessThan(1e-6);
  });

  it('of several noise layers on the same channels multiply', () => {
    const model = tf.sequential({
      layers: [
        logNormalDropout({ name: 'pixels', inputShape: [5, 5, 3] }),
        noisyConv2d({ name: 'conv', filters: 6, kernelSize: 3, activation: 'relu' }),
        logNormalDropout({ name: 'again' }),
        tf.layers.globalAveragePooling2d({ name: 'mean' }),
        logNormalDropout({ name: 'pooled' }),
        noisyDense({ name: 'out', units: 3, activation: 'softmax' }),
      ],
    });
    fill(model, 13);
    setNoise(model, 'pixels', below(2));
    setNoise(model, 'conv', (group) => group !== 0);
    setNoise(model, 'again', (group) => group !== 1);
    setNoise(model, 'pooled', (group) => group !== 2);
    setNoise(model, 'out', () => true);
    const { model: pruned, report } = pruneModel(model);
    expect(report.widths).toEqual([2, 3, 3, 3, 3]);
    expect(pruned.layers.map((layer) => layer.getClassName())).toEqual([
      'InputLayer',
      'Conv2D',
      'GlobalAveragePooling2D',
      'Dense',
    ]);
    expect(difference(model, pruned, 14)).toBeLessThan(1e-6);
  });

  it('are folded without removing anything by foldNoise', () => {
    const model = leNet5();
    fill(model, 15);
    const folded = foldNoise(model);
    expect(folded.countParams()).toBe(431_080);
    expect(folded.layers.some((layer) => /Noisy|LogNormal/.test(layer.getClassName()))).toBe(false);
    expect(difference(model, folded, 16)).toBeLessThan(1e-6);
  });
});

describe('what stays in any case', () => {
  it('the best group of a layer that would lose all', () => {
    const model = leNetFc();
    fill(model, 17, { dropAll: ['dense1'] });
    const { model: pruned, report } = pruneModel(model);
    expect(report.layers[1]).toMatchObject({ above: 0, kept: 1, present: 1 });
    expect(report.layers[1]!.notes[0]).toBe('none is above the threshold, so the best one stays');
    expect(difference(model, pruned, 18)).toBeLessThan(1e-6);
  });

  it('groups that the model’s output or a softmax reads', () => {
    const model = tf.sequential({
      layers: [
        noisyDense({ name: 'logits', units: 4, inputShape: [5] }),
        tf.layers.softmax({ name: 'softmax' }),
        logNormalDropout({ name: 'last' }),
      ],
    });
    fill(model, 19);
    setNoise(model, 'logits', below(2));
    setNoise(model, 'last', below(3));
    const { model: pruned, report } = pruneModel(model);
    expect(report.widths).toEqual([4, 4]);
    expect(notesOf(report)).toEqual([
      "not removed though at 0: 2 groups ('softmax', which reads them, needs its whole input)",
      "not removed though at 0: 1 group (they are the model's output)",
      "multipliers kept in a batchNormalization 'last' (no weights next to it can take them)",
    ]);
    expect(difference(model, pruned, 20)).toBeLessThan(1e-6);
  });
});

describe('options', () => {
  it('a threshold replaces the layers’ own', () => {
    const model = (threshold: number) => {
      const chain = leNetFc({ noise: { threshold } });
      fill(chain, 21);
      return chain;
    };
    const { model: pruned, report } = pruneModel(model(1), { threshold: 8 });
    const other = pruneModel(model(8));
    expect(report).toEqual(other.report);
    expect(report.widths[0]).toBeLessThan(pruneModel(model(1)).report.widths[0]!);
    expect(difference(pruned, other.model, 22)).toBe(0);
    const all = pruneModel(model(1), { threshold: 0 });
    expect(all.report.reduction).toBe(1);
    expect(difference(model(0), all.model, 23)).toBeLessThan(1e-6);
    expect(() => pruneModel(model(1), { threshold: -1 })).toThrow(/threshold is -1; expected a number ≥ 0/);
  });
});

describe('models', () => {
  it('functional ones and nested ones are chains too, and keep names, dtypes and what is frozen', () => {
    const input = tf.input({ shape: [4], name: 'features' });
    const inner = tf.sequential({
      name: 'inner',
      layers: [noisyDense({ name: 'a', units: 5, inputShape: [4] })],
    });
    const norm = tf.layers.batchNormalization({ name: 'norm', trainable: false });
    const y = tf.layers
      .dense({ name: 'b', units: 2 })
      .apply(norm.apply(inner.apply(input))) as tf.SymbolicTensor;
    const model = tf.model({ name: 'outer', inputs: input, outputs: y });
    fill(inner, 24);
    setNoise(inner, 'a', below(2));
    const { model: pruned } = pruneModel(model);
    expect(pruned.name).toBe('outer');
    expect(pruned.inputNames).toEqual(['features']);
    expect(pruned.layers.map(({ name }) => name)).toEqual(['features', 'a', 'norm', 'b']);
    expect(pruned.getLayer('norm').trainable).toBe(false);
    expect(pruned.getLayer('a').outputShape).toEqual([null, 2]);
    expect(difference(model, pruned, 25)).toBeLessThan(1e-6);
  });

  it('are known for what the file said that they were made of was compiled with', async () => {
    const made = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [3], activation: 'relu' }),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const files = await modelFiles(made);
    const json = {
      ...JSON.parse(new TextDecoder().decode(files['model.json'])),
      compileConfig: { loss: 'mae' },
    };
    const changed = { ...files, 'model.json': new TextEncoder().encode(JSON.stringify(json)) };
    const model = await loadModel(
      Object.entries(changed).map(([name, bytes]) => ({
        ...{ name, size: bytes.length },
        arrayBuffer: async () => bytes.slice().buffer as ArrayBuffer,
      })),
    );
    const expected = { outputs: [{ loss: { name: 'mae' }, metrics: [] }] };
    const noisy = withNoise(model);
    for (const each of [model, noisy, pruneModel(noisy).model])
      expect(compileConfigOf(each)).toEqual(expected);
  });

  it('drop what belongs to others and bears on training only', () => {
    const regularizer = Object.getPrototypeOf(
      tf.regularizers.l1l2({}).constructor,
    ) as typeof tf.serialization.Serializable;
    class Ours extends regularizer {
      static className = 'OurRegularizer';
      apply = () => tf.scalar(0);
      getConfig = () => ({});
    }
    tf.serialization.registerClass(Ours);
    const config = { name: 'a', units: 2, inputShape: [3], biasRegularizer: 'l1l2' as const };
    const model = tf.sequential({
      layers: [tf.layers.dense({ ...config, kernelRegularizer: new Ours() as never })],
    });
    const kept = foldNoise(model).getLayer('a').getConfig();
    expect(kept.kernelRegularizer).toBeNull();
    expect(kept.biasRegularizer).toMatchObject({ className: 'L1L2' });
  });

  it('that are not of known layers, or have no sizes, are refused by name; branches and shared layers are not', () => {
    class Custom extends tf.layers.Layer {
      static className = 'Custom';
    }
    const input = tf.input({ shape: [4], name: 'x' });
    const a = tf.layers.dense({ name: 'a', units: 4 });
    const ya = a.apply(input) as tf.SymbolicTensor;
    const relu = tf.layers.reLU({ name: 'relu' }).apply(ya) as tf.SymbolicTensor;
    const model = (outputs: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
      tf.model({ name: 'm', inputs: input, outputs });
    const sum = tf.layers.add({ name: 'sum' }).apply([ya, relu]) as tf.SymbolicTensor;
    for (const taken of [model(sum), model([ya, relu]), model(a.apply(relu) as tf.SymbolicTensor)])
      expect(pruneModel(taken).report.reduction).toBe(1);
    const cases: [tf.LayersModel, RegExp, string | undefined][] = [
      [
        tf.sequential({ layers: [new Custom({ name: 'odd', inputShape: [3] })] }),
        /'odd' \(Custom\) is not a layer that pruneModel knows/,
        'odd',
      ],
      [
        tf.sequential({
          layers: [tf.layers.conv2d({ name: 'c', filters: 1, kernelSize: 1, inputShape: [null, null, 1] })],
        }),
        /shape \[null, null, null, 1\]; only the batch may be left open/,
        'c_input',
      ],
      [tf.sequential({ name: 'open' }), /'open' has no shapes yet/, undefined],
    ];
    for (const [refused, message, layer] of cases) {
      let error: unknown;
      try {
        pruneModel(refused);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(PruneError);
      expect((error as PruneError).message).toMatch(message);
      expect((error as PruneError).layer).toBe(layer);
    }
  });
});
