import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fewDigits } from '../testing/few-digits.js';
import { type Ended, emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';

const config = {
  ...{ name: 'run', net: 'lenet-fc', data: { source: 'digits', normalize: '0..1' } },
  noise: { klScale: 4, logSigmaInit: -1, threshold: 1.7 },
  train: { epochs: 1, batchSize: 60, noiseRate: 30, replicas: 1 },
  fineTune: { epochs: 1 },
  ...{ engine: 'wasm', bench: { repeats: 1 } },
};

let folder: string;
let backup: string;
const train = () => sbp(folder, 'train', 'run.json', '--runs', 'runs');
const at = (...path: string[]) => join(folder, 'runs', 'run', ...path);

beforeAll(async () => {
  folder = emptyFolder();
  await fewDigits(join(folder, 'digits'));
  writeFileSync(join(folder, 'run.json'), JSON.stringify(config));
  expect(await train()).toMatchObject({ code: 0, stderr: '' });
  backup = join(folder, 'backup');
  cpSync(at(), backup, { recursive: true });
});

afterEach(() => cpSync(backup, at(), { recursive: true }));

const all = (at: string): string[] =>
  statSync(at).isDirectory() ? readdirSync(at).flatMap((name) => all(join(at, name))) : [at];
const hash = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Ways that a file is damaged in. */
const damage = {
  'cut short': (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1),
  'with a bit flipped': (bytes: Buffer) => {
    bytes[bytes.length >> 1]! ^= 1;
    return bytes;
  },
  zeroed: (bytes: Buffer) => bytes.fill(0),
};

function spoil(file: string, how: (bytes: Buffer) => Buffer): void {
  writeFileSync(file, how(readFileSync(file)));
}

/** What timing and its pictures come to is another thing each time. */
const TIMED = /^(result\.json|table\.md|seals\/bench\.json)$/;

function isWholeAgain({ code, stderr }: Ended, why: string): void {
  expect({ code, stderr, why }).toEqual({ code: 0, stderr: '', why });
  for (const file of all(backup)) {
    const name = relative(backup, file);
    if (!TIMED.test(name) && !name.includes('events'))
      expect([name, hash(at(name))]).toEqual([name, hash(file)]);
  }
}

it('is named, file by file of a run that is done, and made again by the same command', async () => {
  const files = all(backup)
    .map((file) => relative(backup, file))
    .filter((name) => !/checkpoints|events/.test(name));
  expect(files.length).toBeGreaterThan(20);
  for (const [i, name] of files.entries()) {
    cpSync(backup, at(), { recursive: true });
    spoil(at(name), Object.values(damage)[i % 3]!);
    const again = await train();
    expect(again.stdout).toContain(`runs/run/${name} is damaged`);
    isWholeAgain(again, name);
  }
});

describe('a damaged file', () => {
  it.each([
    ['bench', 'runs/run/trained', 'runs/run/tuned'],
    ['export', 'runs/run/tuned', '--onnx', 'out'],
    ['prune', 'runs/run/trained/model.json', '--out', 'out'],
    ['flops', 'runs/run/tuned'],
    ['diff', 'runs/run/pruned', 'runs/run/tuned'],
  ])('is not what sbp %s builds on', async (...args) => {
    const name = args.find((arg) => /tuned|trained/.test(arg))!.replace('/model.json', '');
    spoil(join(folder, name, 'weights.bin'), damage.zeroed);
    expect(await sbp(folder, ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^sbp: runs\/run\/\w+\/weights.bin is damaged \(its sha256 .*\); the command that made runs\/run makes it anew\.\n$/,
      ),
    });
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it('is no result for a table', async () => {
    spoil(at('result.json'), (bytes) => Buffer.from(String(bytes).replace(/"error": \d/, '"error": 0')));
    expect(await sbp(folder, 'table', 'runs/run')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('runs/run/result.json is damaged'),
    });
  });
});
