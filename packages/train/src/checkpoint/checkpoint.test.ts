import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EpochMetrics } from '../run/state.js';
import {
  type Checkpoint,
  CheckpointError,
  checkpointFiles,
  readBestCheckpoint,
  readCheckpoint,
  temporaryOf,
  writeCheckpoint,
} from './checkpoint.js';

let folder: string;
let files: ReturnType<typeof checkpointFiles>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sbp-checkpoint-'));
  files = checkpointFiles(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const metrics = (epoch: number, figures: Partial<EpochMetrics> = {}) =>
  ({ epoch, loss: 1 / epoch, kl: 0.1, error: 3, ...figures }) as EpochMetrics;
const after = (history: EpochMetrics[], size = 5): Checkpoint => ({
  engine: 'cpu',
  replicas: 1,
  history,
  state: {
    epoch: history.length,
    weights: Float32Array.from({ length: size }, (_, i) => i + history.length / 3),
    m: new Float32Array(3).fill(history.length),
    v: new Float32Array(3).fill(1e-30),
  },
});
const epochs = (n: number) => Array.from({ length: n }, (_, i) => metrics(i + 1));
const flip = (file: string, at: number) => {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
};

/** Gives a checkpoint another header, and the hash that goes with it. */
function rewritten(file: string, change: (header: Record<string, unknown>) => unknown): void {
  const body = readFileSync(file).subarray(65);
  const end = body.indexOf('\n');
  const header = JSON.stringify(change(JSON.parse(body.toString('utf8', 0, end))));
  const now = Buffer.concat([Buffer.from(header), body.subarray(end)]);
  writeFileSync(
    file,
    Buffer.concat([Buffer.from(`${createHash('sha256').update(now).digest('hex')}\n`), now]),
  );
}

describe('checkpoints', () => {
  it('come back as they were written, to the bit, and leave nothing else in the folder', () => {
    const within = { sums: { examples: 128, loss: 0.1 + 0.2, kl: 1 / 3, measured: [7] }, seconds: 0.7 };
    const average = Float32Array.of(1, 2, 3, 4, 5e-7);
    const [steering, lossFunctions] = [{ klScale: 2, memory: { seen: [1] } }, [0]];
    const { state } = after(epochs(2));
    const checkpoint = {
      ...after(epochs(2)),
      state: { ...state, within, average, steering, lossFunctions },
    };
    writeCheckpoint(folder, after(epochs(1)));
    writeCheckpoint(folder, checkpoint);
    expect(readCheckpoint(folder)).toEqual(checkpoint);
    expect(readdirSync(folder).sort()).toEqual(['best.bin', 'current.bin', 'previous.bin']);
  });

  it('are none where the folder has none, or is not there', () => {
    expect(readCheckpoint(folder)).toBeUndefined();
    expect(readCheckpoint(join(folder, 'absent'))).toBeUndefined();
  });

  it('keep the best epoch, by the held-out images where there are any, never by the test set', () => {
    const held = [8, 2, 5].map((validationError, i) => metrics(i + 1, { validationError, error: 3 - i }));
    for (const n of [1, 2, 3]) writeCheckpoint(folder, after(held.slice(0, n)));
    expect(readBestCheckpoint(folder)).toEqual(after(held.slice(0, 2)));
    const objective = [
      metrics(1, { kl: 9 }),
      metrics(2, { kl: 0.2, error: 5 }),
      metrics(3, { kl: 4, error: 0 }),
    ];
    for (const n of [1, 2, 3]) writeCheckpoint(folder, after(objective.slice(0, n)));
    expect(readBestCheckpoint(folder)).toEqual(after(objective.slice(0, 2)));
  });

  it('are skipped, named and set aside when any byte of them is another, and the newest that is whole is used', () => {
    writeCheckpoint(folder, after(epochs(1)));
    writeCheckpoint(folder, after(epochs(2)));
    const whole = readFileSync(files.current);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (at) => {
        writeFileSync(files.current, whole);
        flip(files.current, at);
        const lines: string[] = [];
        expect(readCheckpoint(folder, (line) => lines.push(line))?.state.epoch).toBe(2);
        expect(lines).toEqual([
          `${files.current} is damaged (its sha256 is not the one written in it) and set aside as ${files.current}.damaged; ${files.best} is used instead.`,
        ]);
        expect(existsSync(files.current)).toBe(false);
      }),
      { numRuns: 50 },
    );
    // the next one does not push the good one out with the damaged one
    writeCheckpoint(folder, after([...epochs(2), metrics(3, { loss: 9 })]));
    flip(files.current, 200);
    expect(readCheckpoint(folder)?.state.epoch).toBe(2);
  });

  it('are skipped when cut short anywhere', () => {
    writeCheckpoint(folder, after(epochs(1)));
    writeCheckpoint(folder, after(epochs(2)));
    const whole = readFileSync(files.current);
    for (const length of [0, 1, 64, 65, 66, whole.length - 1]) {
      writeFileSync(files.current, whole.subarray(0, length));
      expect(readCheckpoint(folder)?.state.epoch).toBe(2);
    }
  });

  it('are the newer of the one before and the best, where the last is damaged', () => {
    // the second epoch is not the best
    const worse = [metrics(1), metrics(2, { loss: 9 }), metrics(3, { loss: 8 })];
    for (const n of [1, 2, 3]) writeCheckpoint(folder, after(worse.slice(0, n)));
    flip(files.current, 100);
    expect(readCheckpoint(folder)?.state.epoch).toBe(2);
  });

  it.each<[string, (checkpoint: Checkpoint) => void, RegExp]>([
    ['an epoch after the last', ({ state }) => Object.assign(state, { epoch: 99 }), /it is of epoch 99 of 3/],
    [
      'no figures',
      (checkpoint) => Object.assign(checkpoint, { history: undefined }),
      /it has no epochs' figures of 2/,
    ],
    ['an epoch too few', ({ history }) => history.pop(), /it has 1 epochs' figures of 2/],
    ['weights that are no numbers', ({ state }) => state.weights.fill(Number.NaN, 1, 2), /are not numbers/],
  ])('with a valid hash around %s are not believed', (_, spoil, why) => {
    const checkpoint = after(epochs(2));
    spoil(checkpoint);
    writeCheckpoint(folder, { ...checkpoint, history: checkpoint.history ?? [] });
    if (checkpoint.history === undefined) rewritten(files.current, ({ history, ...rest }) => rest);
    rmSync(files.best, { force: true });
    expect(() => readCheckpoint(folder, undefined, 3)).toThrow(why);
  });

  it('fall back on the best one, and say it when all are damaged', () => {
    for (const n of [1, 2, 3])
      writeCheckpoint(folder, after([1, 3, 2].slice(0, n).map((loss, i) => metrics(i + 1, { loss }))));
    for (const file of [files.current, files.previous]) flip(file, 100);
    expect(readCheckpoint(folder)?.state.epoch).toBe(1);
    flip(files.best, 100);
    expect(() => readCheckpoint(folder)).toThrow(
      new CheckpointError(
        `every checkpoint is damaged: ${files.best} (its sha256 is not the one written in it); delete it to train anew.`,
      ),
    );
  });

  it('are found wherever a kill left the renames', () => {
    for (const n of [1, 2]) writeCheckpoint(folder, after(epochs(n)));
    // current has become previous, the new one has no name yet
    writeFileSync(`${files.current}.new`, readFileSync(files.current));
    writeFileSync(temporaryOf(`${files.current}.new`), 'half');
    rmSync(files.previous);
    writeFileSync(files.previous, readFileSync(files.current));
    rmSync(files.current);
    expect(readCheckpoint(folder)?.state.epoch).toBe(2);
    writeCheckpoint(folder, after(epochs(3)));
    expect(readCheckpoint(folder)?.state.epoch).toBe(3);
    expect(readdirSync(folder).sort()).toEqual(['best.bin', 'current.bin', 'previous.bin']);
  });
});

describe('a full disk', () => {
  // Linux's device that answers every write as a full disk does.
  it.skipIf(!existsSync('/dev/full'))(
    'leaves what was there, and is said in one line (needs /dev/full)',
    () => {
      writeCheckpoint(folder, after(epochs(1)));
      writeCheckpoint(folder, after(epochs(2)));
      const before = readFileSync(files.current);
      symlinkSync('/dev/full', temporaryOf(`${files.current}.new`));
      const worse = [...epochs(2), metrics(3, { loss: 9 })];
      expect(() => writeCheckpoint(folder, after(worse))).toThrow(
        new CheckpointError(
          `${files.current} could not be written (the disk is full); the checkpoint before it is intact: make room or mend it, and the same command goes on from there.`,
        ),
      );
      expect(readFileSync(files.current).equals(before)).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(['best.bin', 'current.bin', 'previous.bin']);
    },
  );

  const mount = ['--map-root-user', '--mount'];
  const permitted = spawnSync('unshare', [...mount, 'sh', '-c', 'mount -t tmpfs none /tmp']).status === 0;
  it.skipIf(!permitted)(
    'that takes a part of a write keeps no part of it (needs leave to mount a tmpfs)',
    () => {
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      const module = fileURLToPath(import.meta.resolve('@sbp/train/checkpoint'));
      // Three checkpoints of 1.2 MB fit on 4 MB, a part of the fourth as well.
      const script = `
      import { readdirSync } from 'node:fs';
      import { readCheckpoint, writeCheckpoint } from ${JSON.stringify(module)};
      const weights = new Float32Array(1e5).fill(1);
      let message = '';
      for (let epoch = 1; epoch <= 3; epoch++) {
        const history = [3, 4, 5].slice(0, epoch).map((loss) => ({ loss, kl: 0 }));
        try {
          writeCheckpoint(${JSON.stringify(disk)}, { engine: 'cpu', replicas: 1, history, state: { epoch, weights, m: weights, v: weights } });
        } catch (error) {
          message = error.name + ': ' + error.message;
        }
      }
      const lines = [];
      const { state } = readCheckpoint(${JSON.stringify(disk)}, (line) => lines.push(line));
      console.log(JSON.stringify({ message, lines, epoch: state.epoch, files: readdirSync(${JSON.stringify(disk)}) }));`;
      const file = join(folder, 'script.mjs');
      writeFileSync(file, script);
      const shell = `mount -t tmpfs -o size=4m none '${disk}' && '${process.execPath}' '${file}'`;
      const result = JSON.parse(execFileSync('unshare', [...mount, 'sh', '-c', shell], { encoding: 'utf8' }));
      expect(result).toEqual({
        message: expect.stringMatching(
          /^CheckpointError: .*current\.bin could not be written \(the disk is full\)/,
        ),
        lines: [],
        epoch: 2,
        files: ['best.bin', 'current.bin', 'previous.bin'],
      });
    },
  );
});
