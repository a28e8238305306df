import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readRunConfig } from '../../config/read-config.js';
import { emptyFolder } from '../../testing/process.js';
import { writeConfigs } from '../commands.js';
import { planRuns } from './plan.js';
import { readSweep } from './read-sweep.js';

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'sweep.json');
const config = { model: 'lenet-fc', engine: 'wasm' };

async function plan(sweep: unknown) {
  writeFileSync(file, JSON.stringify(sweep));
  const read = readSweep(file);
  return planRuns(read);
}
const names = async (stages: unknown) => (await plan({ stages })).map(({ name }) => name);
const train = (values: object, more: object = {}) => ({ command: 'train', config, values, ...more });

describe('the runs of a sweep', () => {
  it('are lists and ranges crossed, the last varying fastest, named after what varies', async () => {
    expect(
      await names({
        a: train({
          method: ['original', 'structured-bp'],
          'train.seed': [0, 7],
          'noise.klScale': { from: 0.5, to: 2, steps: 2 },
        }),
      }),
    ).toEqual([
      'a-original-seed0-klScale0.5',
      'a-original-seed0-klScale2',
      'a-original-seed7-klScale0.5',
      'a-original-seed7-klScale2',
      'a-structured-bp-seed0-klScale0.5',
      'a-structured-bp-seed0-klScale2',
      'a-structured-bp-seed7-klScale0.5',
      'a-structured-bp-seed7-klScale2',
    ]);
  });

  it('take steps of a range as they are spaced, to six digits', async () => {
    const of = (range: object) => names({ a: train({ 'noise.klScale': range }, { name: '{klScale}' }) });
    expect(await of({ from: 0.25, to: 4, steps: 5, scale: 'log' })).toEqual(['0.25', '0.5', '1', '2', '4']);
    expect(await of({ from: 1, to: 2, steps: 4 })).toEqual(['1', '1.33333', '1.66667', '2']);
  });

  it('start from those of another stage which have the same values, and come after them', async () => {
    const runs = await plan({
      stages: {
        noise: train({ 'noise.klScale': [1, 2], 'train.seed': [1, 0] }, { from: 'original' }),
        original: train({ method: 'original', 'train.seed': [0, 1], 'train.epochs': [3, 4] }),
      },
    });
    expect(runs.slice(0, 4).map(({ stage }) => stage)).toEqual(Array(4).fill('original'));
    expect(runs.slice(4).map(({ name, from }) => [name, from?.name])).toEqual(
      [
        [0, 3],
        [0, 4],
        [1, 3],
        [1, 4],
      ].flatMap(([seed, epochs]) =>
        [1, 2].map((scale) => [
          `noise-seed${seed}-epochs${epochs}-klScale${scale}`,
          `original-seed${seed}-epochs${epochs}`,
        ]),
      ),
    );
  });

  it('are as many as the lists make, each of its own name and after what it starts from, whatever the lists', async () => {
    const list = (most: number) =>
      fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: most });
    await fc.assert(
      fc.asyncProperty(list(4), list(3), list(3), async (seeds, epochs, scales) => {
        const runs = await plan({
          stages: {
            b: train({ 'train.seed': seeds.slice(0, 2), 'noise.klScale': scales }, { from: 'a' }),
            a: train({ 'train.seed': seeds, 'train.batchSize': epochs.map((n) => n + 1) }),
          },
        });
        const ofA = runs.filter(({ stage }) => stage === 'a');
        const ofB = runs.filter(({ stage }) => stage === 'b');
        expect(ofA).toHaveLength(seeds.length * epochs.length);
        expect(ofB).toHaveLength(Math.min(2, seeds.length) * epochs.length * scales.length);
        expect(new Set(runs.map(({ name }) => name)).size).toBe(runs.length);
        for (const [i, { from, assignment }] of runs.entries()) {
          if (!from) continue;
          expect(runs.indexOf(from)).toBeLessThan(i);
          for (const [path, { value }] of from.assignment) expect(assignment.get(path)?.value).toBe(value);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('have configs that sbp train takes, with all of their values, from whatever folder they were given', async () => {
    mkdirSync(join(folder, 'configs/deep'), { recursive: true });
    mkdirSync(join(folder, 'configs/digits'), { recursive: true });
    writeFileSync(
      join(folder, 'configs/deep/base.json'),
      JSON.stringify({ ...config, name: 'base', data: { source: '../digits', normalize: '0..1' } }),
    );
    const runs = await plan({
      stages: {
        a: {
          command: 'train',
          config: 'configs/deep/base.json',
          values: { 'train.seed': [5], 'noise.klScale': [3] },
        },
      },
    });
    writeConfigs(runs);
    expect(readRunConfig(runs[0]!.file!.path)).toMatchObject({
      name: 'a-seed5-klScale3',
      title: 'StructuredBP klScale 3',
      data: { source: join(folder, 'configs/digits') },
      noise: { klScale: 3 },
      // one core a run, wherever it runs
      train: { seed: 5, replicas: 1 },
    });
    expect(runs[0]!.args((path) => path)).toEqual([
      'train',
      join(folder, 'runs/sweep.sweep/configs/a-seed5-klScale3.json'),
      '--runs',
      join(folder, 'runs'),
    ]);
  });

  it('may be of compress, of the model that a run of train leaves', async () => {
    const runs = await plan({
      stages: {
        original: train({ method: 'original', 'train.seed': [0, 1] }),
        small: {
          command: 'compress',
          from: 'original',
          values: { data: 'digits.mjs', seed: [1, 0], target: ['macs=0.4', 'macs=0.2'], distill: false },
        },
      },
    });
    expect(runs.map(({ name }) => name)).toEqual([
      'original-seed0',
      'original-seed1',
      ...[0, 1].flatMap((seed) => [`small-seed${seed}-macs0.4`, `small-seed${seed}-macs0.2`]),
    ]);
    expect(runs[2]!.args((path) => path)).toEqual([
      'compress',
      join(folder, 'runs/original-seed0/trained'),
      '--out',
      join(folder, 'runs/small-seed0-macs0.4'),
      ...['--data', 'digits.mjs', '--no-distill', '--seed', '0', '--target', 'macs=0.4', '--replicas', '1'],
    ]);
  });
});

describe('what no sweep can be is told in a line', () => {
  it.each([
    ['no object', [], /^.*sweep\.json: the sweep is \[\]; expected an object/],
    [
      'a field that there is not',
      { stages: {}, stage: {} },
      /sweep\.json: stage: there is no such field; there are name, runs, cores, gpus, stages, slurm, kubernetes\./,
    ],
    ['no stage', { stages: {} }, /stages is \{\}; expected at least one stage/],
    [
      'a stage of no command',
      { stages: { a: {} } },
      /stages\.a\.command is not given; expected 'train' or 'compress'/,
    ],
    [
      'a field of a stage',
      { stages: { a: train({}, { seeds: [1] }) } },
      /stages\.a\.seeds: there is no such field; there are command, config, from, name, values\./,
    ],
    [
      'a stage that there is not',
      { stages: { a: train({}, { from: 'b' }) } },
      /stages\.a\.from is 'b'; expected another stage: 'a'/,
    ],
    [
      'a name that names no files',
      { stages: { 'a/b': train({}) } },
      /stages\.a\/b: a stage's name is letters/,
    ],
    [
      'a ring',
      { stages: { a: train({}, { from: 'c' }), b: train({}, { from: 'a' }), c: train({}, { from: 'b' }) } },
      /the stages a → b → c → a start from each other in a ring/,
    ],
    ['itself', { stages: { a: train({}, { from: 'a' }) } }, /the stages a → a start from each other/],
    [
      'an empty list',
      { stages: { a: train({ 'train.seed': [] }) } },
      /stages\.a\.values\.train\.seed is \[\]; expected at least 1/,
    ],
    [
      'half a range',
      { stages: { a: train({ 'noise.klScale': { from: 1, steps: 3 } }) } },
      /values\.noise\.klScale\.to is not given; expected a number/,
    ],
    [
      'a range by logarithms from 0',
      { stages: { a: train({ 'noise.klScale': { from: 0, to: 1, steps: 3, scale: 'log' } }) } },
      /'from' and 'to' above 0/,
    ],
    [
      'a field of no config',
      { stages: { a: train({ 'noise.scale': [1] }) } },
      /stages\.a: noise\.scale: there is no such field; there are klWeight/,
    ],
    [
      'a value of no config',
      { stages: { a: train({ 'train.epochs': [1, 0.5] }) } },
      /stages\.a: train\.epochs is 0\.5; expected a whole number/,
    ],
    [
      'a field in what is no object',
      { stages: { a: train({ 'model.x': 1 }) } },
      /values\.model\.x: model is "lenet-fc" in the config/,
    ],
    [
      'two of one name',
      { stages: { a: train({ 'train.seed': [1, 1] }) } },
      /two runs are named a-seed1 \(of stage a\)/,
    ],
    [
      'one name in two stages',
      { stages: { a: train({}, { name: 'x' }), b: train({}, { name: 'x' }) } },
      /two runs are named x \(of the stages a and b\)/,
    ],
    [
      'a name of what does not vary',
      { stages: { a: train({ 'train.seed': [1] }, { name: 'x-{epochs}' }) } },
      /name has \{epochs\}, which does not vary there; there are \{seed\}\./,
    ],
    [
      'a name too long',
      { stages: { a: train({ 'train.seed': [1] }, { name: 'x'.repeat(300) }) } },
      /would have a name of 300 characters; expected at most 200/,
    ],
    [
      'too many',
      {
        stages: { a: train({ 'train.seed': { from: 1, to: 5000, steps: 5000 }, 'train.epochs': [1, 2, 3] }) },
      },
      /stages\.a would be 15,000 runs; expected at most 10,000/,
    ],
    [
      'a value that no start has',
      { stages: { a: train({ 'train.seed': [0] }), b: train({ 'train.seed': [0, 1] }, { from: 'a' }) } },
      /stages\.b\.values\.train\.seed: no run of a has 1, which these could start from/,
    ],
    [
      'a start that it would not wait for',
      { stages: { a: train({}), b: { command: 'train', config: { ...config, from: 'a' } } } },
      /its config starts from a, a run of the stage a, and would not wait for it; say "from": "a"/,
    ],
    [
      'compress of nothing',
      { stages: { a: { command: 'compress', values: { target: 'macs=0.5' } } } },
      /values\.model is not given; expected the path of a model/,
    ],
    [
      'an option of no compress',
      {
        stages: {
          a: train({}),
          b: { command: 'compress', from: 'a', values: { target: 'macs=0.5', speed: 3 } },
        },
      },
      /stages\.b: unknown option '--speed' \(Did you mean --seed\?\); sbp compress --help/,
    ],
    [
      'a target that is none',
      { stages: { a: train({}), b: { command: 'compress', from: 'a', values: { target: 'weight=3' } } } },
      /stages\.b: --target weight=3: expected macs=0\.4/,
    ],
    [
      'compress first',
      {
        stages: {
          a: train({}),
          c: { command: 'compress', from: 'a', values: { target: 'macs=0.5' } },
          b: train({}, { from: 'c' }),
        },
      },
      /stages\.b\.from is a stage of compress/,
    ],
  ])('%s', async (_, sweep, message) => {
    const failed = await plan(sweep).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failed?.message).toMatch(message);
    expect(failed?.name).toBe('UsageError');
    expect(failed?.message).not.toContain('\n');
    expect(failed!.message.length).toBeLessThan(500);
  });
});
