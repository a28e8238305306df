import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { philox } from '@sbp/math';
import { checkpointFiles, temporaryOf } from '@sbp/train/checkpoint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runConfigSchema } from '../config/run-config.js';
import { fewDigits } from '../testing/few-digits.js';
import { type Ended, emptyFolder, spawned, start } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';
import { checkRunFolder, runPaths } from './run-folder.js';

/** Many short steps, so that there are many places to be killed at. */
const config = {
  name: 'whole',
  net: 'lenet-fc',
  data: { source: 'digits', normalize: '0..1' },
  noise: { klScale: 4, logSigmaInit: -1, threshold: 1.7 },
  train: { epochs: 2, batchSize: 10, noiseRate: 30, replicas: 1 },
  engine: 'wasm',
  bench: { runtimes: [] },
};
/** Kills of each run while it trains, and then while it prunes and while it times. */
const TRAINING_KILLS = 3;

let folder: string;
let whole: Ended;
const paths = (name: string) => runPaths(join(folder, 'runs', name));
const files = (name: string) => checkpointFiles(paths(name).checkpoints);
/** vitest takes seconds to compare two large buffers. */
const weights = (model: string) =>
  createHash('sha256')
    .update(readFileSync(join(model, 'weights.bin')))
    .digest('hex');
const figures = (name: string) =>
  readFileSync(paths(name).metrics, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ epoch, loss, kl, trainError, error, kept }) => ({ epoch, loss, kl, trainError, error, kept }));
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs the command until `moment` has come, then kills it. */
async function killed(args: readonly string[], moment: () => () => boolean, after: number): Promise<void> {
  const { child, ended } = start(folder, args);
  let over = false;
  ended.then(() => {
    over = true;
  });
  const come = moment();
  while (!over && !come()) await wait(1);
  await wait(after);
  child.kill('SIGKILL');
  const { signal, stderr } = await ended;
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

/** When so many checkpoints have been written since it started. */
function checkpointsWritten(name: string, count: number) {
  const { current } = files(name);
  const stamp = () => (existsSync(current) ? `${statSync(current, { throwIfNoEntry: false })?.ino}` : '');
  return () => {
    let before = stamp();
    let seen = 0;
    return () => {
      const now = stamp();
      if (now !== '' && now !== before) seen++;
      before = now || before;
      return seen >= count;
    };
  };
}

beforeAll(async () => {
  folder = emptyFolder();
  await fewDigits(join(folder, 'digits'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  whole = await spawned(folder, 'train', 'config.json');
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe('a run that is killed', () => {
  // npm run chaos does it at 240
  it('at 5 random moments goes on to the same weights, to the bit', async () => {
    const seed = 1;
    const name = `killed-${seed}`;
    const { metrics, training, pruning, trained, pruned } = paths(name);
    const command = ['train', 'config.json', '--name', name];
    const often = [...command, '--checkpoint-minutes', '0'];
    const random = philox(seed, 0).uniforms(0, new Float32Array(2 * TRAINING_KILLS + 2));
    for (let kill = 0; kill < TRAINING_KILLS; kill++) {
      const [count, later] = random.subarray(2 * kill) as unknown as [number, number];
      // 0 to 5 checkpoints after its start, each of two steps of 108, and up to 50 ms
      await killed(often, checkpointsWritten(name, Math.floor(6 * count)), 50 * later);
      expect(existsSync(training)).toBe(false);
    }
    // as a kill in the middle of a write would leave it
    if (existsSync(metrics)) writeFileSync(metrics, '{"epoch": 1, "lo');
    for (const [i, done] of [training, pruning].entries())
      await killed(command, () => () => existsSync(done), 100 * (random.at(-1 - i) as number));
    expect(await spawned(folder, ...command)).toMatchObject({ code: 0, stderr: '' });
    expect(weights(trained)).toBe(weights(paths('whole').trained));
    expect(weights(pruned)).toBe(weights(paths('whole').pruned));
    expect(figures(name)).toEqual(figures('whole'));
  }, 300_000);

  it('was compared with one that was not', () => {
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(figures('whole').map(({ epoch }) => epoch)).toEqual([1, 2]);
  });
});

describe('a run of which a replica dies', () => {
  const command = (name: string) => [
    'train',
    'config.json',
    '--replicas',
    '2',
    '--phase',
    'train',
    '--name',
    name,
  ];

  it('says so in one line, and the same command goes on to the same weights, to the bit', async () => {
    const workers: Worker[] = [];
    const watch = (worker: Worker) => void workers.push(worker);
    process.on('worker', watch);
    const often = [...command('orphaned'), '--checkpoint-minutes', '0'];
    const ending = sbp(folder, ...often);
    const come = checkpointsWritten('orphaned', 3)();
    while (!come()) await wait(1);
    await workers.at(-1)?.terminate();
    const { code, stderr } = await ending;
    process.off('worker', watch);
    expect(stderr).toMatch(
      /^sbp: replica 2 died: its thread ended with code 1\. Stopped; kept in runs\/orphaned up to image \d+ of epoch \d of 2: the same command goes on from there\.\n$/,
    );
    expect(code).toBe(1);
    for (const name of ['orphaned', 'undisturbed'])
      expect(await sbp(folder, ...command(name))).toMatchObject({ code: 0, stderr: '' });
    expect(weights(paths('orphaned').trained)).toBe(weights(paths('undisturbed').trained));
  }, 300_000);
});

describe('a run that is asked to end', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGUSR1', 75],
  ] as const)(
    'by %s keeps the step that it is at, ends with %d within 5 s, and goes on to the same weights, to the bit',
    async (signal, code) => {
      const name = signal.toLowerCase();
      const args = ['train', 'config.json', '--name', name];
      const { child, ended } = start(folder, args);
      await new Promise<void>((resolve) => {
        child.stdout!.on('data', (text: string) => {
          if (text.includes('epoch 1/2')) resolve();
        });
      });
      const asked = performance.now();
      child.kill(signal);
      const first = await ended;
      expect(performance.now() - asked).toBeLessThan(5000);
      expect(first).toMatchObject({
        code,
        stderr: expect.stringMatching(
          new RegExp(
            `^\\nStopped; kept in runs/${name} up to (image [\\d,]+ of|the end of) epoch [12] of 2: the same command goes on`,
          ),
        ),
      });
      expect(readdirSync(paths(name).folder).filter((entry) => entry.startsWith('.owner'))).toEqual([]);
      const { code: second, stdout } = await spawned(folder, ...args);
      expect(second).toBe(0);
      expect(stdout).toMatch(/Going on from (image [\d,]+ of|the end of) epoch [12] of 2/);
      expect(weights(paths(name).trained)).toBe(weights(paths('whole').trained));
      expect(figures(name)).toEqual(figures('whole'));
    },
    120_000,
  );
});

describe('a folder', () => {
  it('in which a run was killed before its config was whole is begun in anew', () => {
    const { folder: half } = paths('half');
    mkdirSync(half, { recursive: true });
    writeFileSync(temporaryOf(paths('half').config), '{ "na');
    expect(() => checkRunFolder(paths('half'), runConfigSchema.parse(config))).not.toThrow();
    writeFileSync(join(half, 'thesis.tex'), '');
    expect(() => checkRunFolder(paths('half'), runConfigSchema.parse(config))).toThrow(
      /holds files but no run/,
    );
  });
});

describe('checkpoints of a run', () => {
  const begun = ['train', 'config.json', '--name', 'begun'];

  it.skipIf(!existsSync('/dev/full'))(
    'that are damaged are named and passed over for the one before; where the disk is full they end the run in one line and stay as they were (needs /dev/full)',
    async () => {
      await killed([...begun, '--checkpoint-minutes', '0'], checkpointsWritten('begun', 3), 0);
      const { current, previous } = files('begun');
      const bytes = readFileSync(current);
      bytes[bytes.length - 1000]! ^= 1;
      writeFileSync(current, bytes);
      const before = readFileSync(previous);
      // every write there is answered as by a full disk, once the run has swept what others left there
      const plant = setInterval(() => {
        const temporary = temporaryOf(`${current}.new`);
        if (!lstatSync(temporary, { throwIfNoEntry: false })) symlinkSync('/dev/full', temporary);
      }, 2);
      const { code, stdout, stderr } = await sbp(folder, ...begun, '--checkpoint-minutes', '0');
      clearInterval(plant);
      expect(stdout).toMatch(
        /runs\/begun\/checkpoints\/current\.bin is damaged .+ set aside .+ \S+(previous|best)\.bin is used instead\./,
      );
      expect(stdout).toMatch(/Going on from image \d+ of epoch 1 of 2, kept in runs\/begun/);
      expect(stderr).toBe(
        'sbp: runs/begun/checkpoints/current.bin could not be written (the disk is full); the checkpoint before it is intact: make room or mend it, and the same command goes on from there.\n',
      );
      expect(code).toBe(1);
      expect(readFileSync(previous).equals(before)).toBe(true);
    },
  );

  it('that are all damaged are not gone on from', async () => {
    for (const file of Object.values(files('begun'))) if (existsSync(file)) writeFileSync(file, 'x');
    const { code, stderr } = await sbp(folder, ...begun);
    expect(stderr).toMatch(/^sbp: every checkpoint is damaged: .+; delete .+\n$/);
    expect(code).toBe(1);
  });
});
