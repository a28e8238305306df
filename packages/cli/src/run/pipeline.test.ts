import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel } from '@sbp/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fewDigits } from '../testing/few-digits.js';
import { emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';
import { runPaths } from './run-folder.js';

const common = {
  net: 'lenet-fc',
  data: { source: 'digits', normalize: '0..1', trainExamples: 500 },
  engine: 'wasm',
  bench: { repeats: 1, batchSizes: [1], runtimes: ['onnxruntime', 'wasm'] },
};
const train = { epochs: 1, batchSize: 50, replicas: 1 };
const configs = {
  original: { ...common, name: 'original', method: 'original', train, short: { train: { batchSize: 100 } } },
  sbp: {
    ...common,
    name: 'sbp-{seed}',
    title: 'Noise',
    from: 'original',
    noise: { klWeight: { dense1: 3 }, logSigmaInit: -1, threshold: 1.2 },
    train: { ...train, noiseRate: 30 },
    short: { train: { batchSize: 100 } },
  },
  ssl: {
    ...common,
    name: 'ssl',
    method: 'ssl',
    from: 'original',
    // so strong that whole groups end below the threshold within ten steps
    groupLasso: { filters: 0.05, channels: 0.05, threshold: 0.8 },
    train: { ...train, learningRate: 0.002 },
    fineTune: { epochs: 2, batchSize: 50 },
  },
  'sparse-vd': {
    ...common,
    name: 'sparse-vd',
    method: 'sparse-vd',
    from: 'original',
    // so much noise that what is as small as it began is worth nothing
    sparseVd: { logSigma2Init: -2.3 },
    train: { ...train, noiseRate: 10 },
  },
  random: {
    ...common,
    name: 'random',
    method: 'original',
    data: { ...common.data, trainExamples: 200, labels: 'random' },
    train: { ...train, epochs: 2 },
  },
};

let folder: string;
const paths = (name: string) => runPaths(join(folder, 'runs', name));
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const run = (line: string) => sbp(folder, ...line.split(' '));
const ok = async (line: string) => {
  const ended = await run(line);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return ended.stdout;
};

beforeAll(async () => {
  folder = emptyFolder();
  await fewDigits(join(folder, 'digits'));
  for (const [name, config] of Object.entries(configs))
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true }));

// In one file and in this order, as later runs start from what earlier ones left.
describe('a run that starts from another', () => {
  it('says which command makes the other', async () => {
    const { code, stderr } = await run('train sbp.json');
    expect(code).toBe(2);
    expect(stderr).toBe(
      'sbp: runs/original is not there, and sbp.json starts from it; make it first: sbp train original.json --runs runs\n',
    );
    expect((await run('train sbp.json --budget short')).stderr).toMatch(
      /^sbp: runs\/original-short is not there, .+ --runs runs --budget short\n$/,
    );
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('has the weights of the other before its first step, and noise of its own', async () => {
    await ok('train original.json');
    const result = json(paths('original').result);
    expect(result.rows).toHaveLength(1);
    expect(result.rows[0]).toMatchObject({
      method: 'Original',
      widths: '784-500-300',
      error: result.history[0].error,
      reduction: 1,
    });
    expect(existsSync(paths('original').pruned)).toBe(false);
    // At a learning rate of nearly nothing what was trained stays what it was.
    const config = { ...configs.sbp, name: 'still', train: { ...train, learningRate: 1e-12, noiseRate: 1 } };
    writeFileSync(join(folder, 'still.json'), JSON.stringify(config));
    expect(await ok('train still.json --phase train')).toMatch(
      /Starting from the weights of runs\/original\/trained/,
    );
    const [before, after] = [
      await loadModel(paths('original').trained),
      await loadModel(paths('still').trained),
    ];
    for (const layer of ['dense1', 'dense2', 'logits'])
      for (const [i, weight] of before.getLayer(layer).getWeights().entries()) {
        const other = after.getLayer(layer).getWeights()[i]!;
        expect(other.sub(weight).abs().max().dataSync()[0]).toBeLessThan(1e-6);
      }
    const logSigma = after.getLayer('dense1').getWeights().at(-1)!;
    expect(logSigma.max().dataSync()[0]).toBeCloseTo(-1);
    expect(json(join(paths('still').trained, 'model.json'))).toMatchObject({
      modelTopology: {
        config: { layers: expect.arrayContaining([expect.objectContaining({ class_name: 'NoisyDense' })]) },
      },
    });
    const klWeights = (name: string) =>
      (after.getLayer(name).getConfig().noise as { klWeight: unknown }).klWeight;
    expect([klWeights('dense1'), klWeights('dense2')]).toEqual([3, 1]);
  });

  it('does not take weights of another network', async () => {
    const config = { ...configs.sbp, name: 'other', net: 'lenet5', noise: {} };
    writeFileSync(join(folder, 'other.json'), JSON.stringify(config));
    const { code, stderr } = await run('train other.json');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /runs\/original\/trained has dense1\/kernel of 784×500, the network one of 800×500/,
    );
  });

  it('names the noise layers where a KL weight is for none of them', async () => {
    const config = { ...configs.sbp, name: 'stray', noise: { klWeight: { conv1: 2 } } };
    writeFileSync(join(folder, 'stray.json'), JSON.stringify(config));
    expect((await run('train stray.json')).stderr).toMatch(
      /noise\.klWeight has 'conv1', and the network no noise layer of that name; there are input_noise, dense1, dense2/,
    );
    const ssl = { ...configs.ssl, name: 'stray', groupLasso: { channels: { conv1: 2 } } };
    writeFileSync(join(folder, 'stray.json'), JSON.stringify(ssl));
    expect((await run('train stray.json')).stderr).toMatch(
      /groupLasso\.channels has 'conv1', and the network no layer with weights of that name; there are dense1, dense2, logits/,
    );
  });
});

describe('phases', () => {
  it('are done one at a time, each after the one before it, and again only where that is asked for', async () => {
    const { code, stderr } = await run('train sbp.json --phase prune');
    expect(code).toBe(2);
    expect(stderr).toMatch(/runs\/sbp-0 has not been through the phase train yet, .+ --phase train first/);
    await ok('train sbp.json --phase train');
    expect(existsSync(paths('sbp-0').pruning)).toBe(false);
    await ok('train sbp.json --phase prune');
    expect(existsSync(paths('sbp-0').result)).toBe(false);
    expect(await ok('train sbp.json --phase finetune')).toBe('sbp-0 has no phase finetune: nothing to do.\n');
    await ok('train sbp.json --phase bench --results results');
    const stamp = () => statSync(paths('sbp-0').pruning).mtimeMs;
    const before = stamp();
    expect(await ok('train sbp.json --phase prune')).toBe('runs/sbp-0: prune is done.\n');
    expect(stamp()).toBe(before);
    expect(await ok('train sbp.json --phase prune --again')).toMatch(/every prediction equal/);
    expect(stamp()).toBeGreaterThan(before);
    // What was measured on the network before is no longer of this one.
    expect(existsSync(paths('sbp-0').result)).toBe(false);
  });

  it('are those of every seed', async () => {
    await ok('train sbp.json --seed 0,1 --results results');
    expect(readdirSync(join(folder, 'results')).sort()).toEqual(['sbp-0.json', 'sbp-1.json']);
    const [first, second] = ['sbp-0', 'sbp-1'].map((name) => json(join(folder, 'results', `${name}.json`)));
    expect(first.config).toMatchObject({ name: 'sbp-0', from: 'original', train: { seed: 0 } });
    expect(second.config).toMatchObject({ name: 'sbp-1', train: { seed: 1 } });
    expect(second.history[0].loss).not.toBe(first.history[0].loss);
    const { code, stderr } = await run('train original.json --seed 0,1');
    expect(code).toBe(2);
    expect(stderr).toMatch(/with several seeds each run needs a name of its own; put \{seed\}/);
  });

  it('time on ONNX Runtime and wasm what was exported and checked', () => {
    const result = json(paths('sbp-0').result);
    const [, noisy, pruned] = result.rows;
    expect(noisy.speedups).toBeNull();
    expect(pruned.method).toBe('Noise pruned');
    expect(pruned.speedups).toMatchObject([
      { runtime: 'onnxruntime', batchSize: 1 },
      { runtime: 'wasm', batchSize: 1 },
    ]);
    expect(result.onnx).toMatchObject({ examples: 500, tolerance: 1e-4 });
    expect(result.onnx.maxDifference).toBeLessThanOrEqual(1e-4);
    expect(result.onnx.bytes).toBe(statSync(paths('sbp-0').onnx).size);
  });

  it.each(['ssl', 'sparse-vd'])('cut a network trained by %s', async (name) => {
    await ok(`train ${name}.json --results results`);
    const result = json(paths(name).result);
    expect(result.agreement.otherPredictions).toBe(0);
    // Fine-tuned rows of zeros would be zeros no more.
    expect(result.gather).toBe(name === 'ssl');
    const { macs, zeroRowMacs } = result.rows.at(-1);
    expect(macs - zeroRowMacs).toBeLessThan(545_000);
    if (name === 'ssl') expect(zeroRowMacs).toBe(0);
  });

  it('fine-tune what was cut, and report that', () => {
    const { rows, fineTuning } = json(paths('ssl').result);
    expect(rows.map(({ method }: { method: string }) => method)).toEqual([
      'Original',
      'SSL trained',
      'SSL pruned',
      'SSL fine-tuned',
    ]);
    expect(fineTuning.history).toHaveLength(2);
    expect(rows[3].error).toBe(fineTuning.history[1].error);
    const sum = (folder: string) => readFileSync(join(folder, 'weights.bin')).toString('base64');
    expect(sum(paths('ssl').tuned) === sum(paths('ssl').pruned)).toBe(false);
    expect(rows[3].macs).toBe(rows[2].macs);
  });

  it('fine-tune as the config says now, without training anew, but forget no fine-tuning unasked', async () => {
    const longer = { ...configs.ssl, fineTune: { ...configs.ssl.fineTune, epochs: 3 } };
    writeFileSync(join(folder, 'longer.json'), JSON.stringify(longer));
    const before = readFileSync(paths('ssl').result);
    const { code, stderr } = await run('train longer.json');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /runs\/ssl was fine-tuned with another fineTune\.epochs: 2 there, 3 now; give this one another --name, or --again/,
    );
    expect(readFileSync(paths('ssl').result)).toEqual(before);
    expect(await ok('train longer.json --phase prune --again')).not.toMatch(/epoch 1/);
    expect(json(paths('ssl').config).fineTune.epochs).toBe(3);
    expect(await ok('train longer.json --results results')).toMatch(/for 3 epochs/);
    expect(json(paths('ssl').result).fineTuning.history).toHaveLength(3);
  });

  it('learn random labels, and then measure the error on the training images', async () => {
    const told = await ok('train random.json --phase train');
    expect(told).toMatch(/LeNet-fc on digits: 200 training examples\n/);
    // Ten classes: what guesses is wrong nine times out of ten.
    expect(json(paths('random').training).engine.name).toBe('wasm');
    const error = Number(/error ([\d.]+) %/.exec(told)?.[1]);
    expect(error * 2).toBeCloseTo(Math.round(error * 2), 6);
  });
});

describe('sbp table', () => {
  const published = {
    net: 'lenet-fc',
    source: 'A paper.',
    rows: [{ method: 'structured-bp', error: 1.55, widths: '245-160-55', cpu: 2.33, reduction: 11.23 }],
  };

  it('has a row a method, with mean and spread over seeds, beside what was published', async () => {
    await ok('train original.json --phase bench --again --results results');
    writeFileSync(join(folder, 'published.json'), JSON.stringify(published));
    const text = await ok('table results --published published.json --out out');
    const errors = [0, 1].map((seed) => json(paths(`sbp-${seed}`).result).rows.at(-1).error as number);
    const written = [...errors].sort((a, b) => a - b).map((error) => error.toFixed(2));
    const mean = ((errors[0]! + errors[1]!) / 2).toFixed(2);
    expect(text).toContain(`| Noise, 2 seeds `);
    expect(text).toContain(`| ${mean} (${written[0]}–${written[1]}) |`);
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| :'));
    expect(rows.slice(1).map((row) => row.split('|')[1]!.trim())).toEqual([
      'Original',
      'SparseVD',
      'SSL',
      'Noise, 2 seeds',
      'StructuredBP, published',
    ]);
    expect(rows.at(-1)).toMatch(/ 1\.55 \|.+ 11\.23× \|.+ 2\.33× \|/);
    expect(readFileSync(join(folder, 'out/table.md'), 'utf8')).toBe(text);
    expect(readFileSync(join(folder, 'out/error-against-macs.svg'), 'utf8')).toMatch(
      /^<svg[\s\S]+<\/svg>\s*$/,
    );
    // The same results give the same files, byte for byte.
    const again = await ok('table results --published published.json --out again');
    expect(again).toBe(text);
    for (const name of ['table.md', 'error-against-macs.svg'])
      expect(readFileSync(join(folder, 'again', name))).toEqual(readFileSync(join(folder, 'out', name)));
  });

  it.each([
    ['table none', /^sbp: none: there is no such file or folder; /],
    ['table results --budget short', /^sbp: there is no result of this budget/],
    ['table original.json', /^sbp: original\.json is not the result\.json of a run/],
    ['table results --published original.json', /^sbp: original\.json is not published figures/],
  ])('%s ends in one line and code 2', async (line, expected) => {
    const { code, stdout, stderr } = await run(line);
    expect(stderr).toMatch(expected);
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('sbp sweep-threshold', () => {
  it('measures one network at every threshold, and leaves table, plot and figures', async () => {
    const { code, stdout, stderr } = await run(
      'sweep-threshold runs/sbp-0 --train-examples 100 --engine wasm --out results --json',
    );
    expect(code).toBe(0);
    const [reading, ...told] = stderr.trim().split('\n');
    expect(reading).toMatch(/^data +reading$/);
    expect(told).toHaveLength(21);
    const { rows, macs } = JSON.parse(stdout);
    expect(rows.map((row: { threshold: number }) => row.threshold)).toEqual(
      Array.from({ length: 21 }, (_, i) => i / 10),
    );
    expect(macs).toBe(545_000);
    for (const [i, row] of rows.entries()) if (i > 0) expect(row.macs).toBeLessThanOrEqual(rows[i - 1].macs);
    // At the run's own threshold it is what the run came to.
    const own = rows.find((row: { threshold: number }) => row.threshold === configs.sbp.noise.threshold);
    const result = json(paths('sbp-0').result);
    expect(own.errors['test set']).toBe(result.rows.at(-1).error);
    expect(Object.values(own.kept).join('-')).toBe(result.rows.at(-1).widths);
    expect(json(join(folder, 'results/sweep-sbp-0.json'))).toEqual(JSON.parse(stdout));
    expect(readFileSync(join(folder, 'results/sweep-sbp-0.md'), 'utf8')).toMatch(
      /\| +0\.0 \| 784-500-300 +\|/,
    );
    expect(readFileSync(join(folder, 'results/sweep-sbp-0.svg'), 'utf8')).toMatch(/^<svg/);
  });

  it('joins the plot of the table, but not the table', async () => {
    const before = readFileSync(join(folder, 'out/error-against-macs.svg'), 'utf8');
    const text = readFileSync(join(folder, 'out/table.md'), 'utf8');
    expect(await ok('table results --published published.json --out with')).toBe(text);
    expect(readFileSync(join(folder, 'with/error-against-macs.svg'), 'utf8')).not.toBe(before);
  });

  it('chooses by held-out images alone', async () => {
    const config = { ...configs.sbp, name: 'held', data: { trainExamples: 500, validation: 100 } };
    writeFileSync(join(folder, 'held.json'), JSON.stringify(config));
    expect(await ok('train held.json --phase train')).toMatch(/LeNet-fc on MNIST: 400 training images/);
    const { stdout } = await run('sweep-threshold runs/held --train-examples 50 --engine wasm --json');
    const { rows, chosen } = JSON.parse(stdout);
    const least = Math.min(...rows.map(({ errors }: never) => errors['held-out set']));
    const best = rows.filter(({ errors }: never) => errors['held-out set'] === least);
    const cheapest = Math.min(...best.map(({ macs }: { macs: number }) => macs));
    expect(best.find(({ macs }: { macs: number }) => macs === cheapest).threshold).toBe(chosen);
  });

  it.each([
    ['sweep-threshold nothing', /^sbp: nothing: there is no such file; give a model\.json/],
    ['sweep-threshold runs/original', /^sbp: runs\/original has no noise on its groups/],
    ['sweep-threshold sbp.json', /^sbp: sbp\.json has no modelTopology/],
    [
      'sweep-threshold runs/sbp-0 --engine wasm --train-examples 9999',
      /^sbp: subset of .+ found from 0 to 9999/,
    ],
    ['sweep-threshold runs/sbp-0 --train-examples few', /^sbp: option '--train-examples <n>' argument 'few'/],
  ])('%s ends in one line and code 2', async (line, expected) => {
    const { code, stdout, stderr } = await run(line);
    const told = stderr.replace(/^data +reading\n/, '');
    expect(told).toMatch(expected);
    expect(told).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
