import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fewDigits } from '../../testing/few-digits.js';
import { emptyFolder } from '../../testing/process.js';
import { sbp } from '../../testing/sbp.js';
import { type Slurm, slurmIsHere, startSlurm } from '../../testing/slurm.js';

const common = {
  model: 'lenet-fc',
  engine: 'wasm',
  data: { source: 'digits', normalize: '0..1', trainExamples: 300 },
  bench: { repeats: 1, batchSizes: [1] },
};
/** Three runs, and nine that start from them. */
const sweep = {
  stages: {
    original: {
      command: 'train',
      config: { ...common, method: 'original', train: { epochs: 2, batchSize: 10 } },
      values: { 'train.seed': [0, 1, 2] },
    },
    noise: {
      command: 'train',
      from: 'original',
      config: {
        ...common,
        noise: { logSigmaInit: -1, threshold: 1.7 },
        train: { epochs: 2, batchSize: 20, noiseRate: 30 },
      },
      values: { 'train.seed': [0, 1, 2], 'noise.klScale': { from: 1, to: 16, steps: 3, scale: 'log' } },
    },
  },
};

let folder: string;
let slurm: Slurm;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const most = performance.now() + 120_000;
  for (;;) {
    const found = look();
    if (found) return found;
    if (performance.now() > most) throw new Error(`${what} did not come; the queue: ${queue()}`);
    await wait(100);
  }
}
const queue = () => slurm.call('squeue', '-h', '-r', '-o', '%F_%K %T %r %j');
const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const log = (name: string) => join(folder, 'here/runs/sweep.sweep/logs', `${name}.log`);
const begun = (name: string) => read(log(name)).includes('Engine: wasm');
const weights = (place: string, name: string) =>
  createHash('sha256')
    .update(readFileSync(join(folder, place, 'runs', name, 'trained/weights.bin')))
    .digest('hex');
const names = [0, 1, 2].flatMap((seed) => [
  `original-seed${seed}`,
  ...[1, 4, 16].map((scale) => `noise-seed${seed}-klScale${scale}`),
]);

// it takes 80 s of the twelve minutes that CI has
describe.skipIf(!slurmIsHere || process.env.CI !== undefined)(
  "sbp sweep --on slurm (needs Slurm: Debian's slurm-wlm and munge; skips where they are not installed, and in CI)",
  () => {
    beforeAll(async () => {
      folder = emptyFolder();
      await fewDigits(join(folder, 'digits'));
      for (const place of ['here', 'pool']) {
        mkdirSync(join(folder, place));
        cpSync(join(folder, 'digits'), join(folder, place, 'digits'), { recursive: true });
        writeFileSync(join(folder, place, 'sweep.json'), JSON.stringify(sweep));
      }
      slurm = await startSlurm(2);
      for (const [name, value] of Object.entries(slurm.env)) vi.stubEnv(name, value);
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await slurm?.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    const command = (...args: string[]) => sbp(join(folder, 'here'), 'sweep', ...args);

    it('does 12 runs in two stages, of which one is requeued, one killed and one fails, to the same bits as a pool', async () => {
      const submitted = await command('sweep.json', '--on', 'slurm', '--time', '10:00', '--cap', '2');
      expect(submitted).toMatchObject({ code: 0, stderr: '' });
      expect(submitted.stdout).toMatch(
        /^original: 3 runs as job (\d+)\nnoise: 9 runs as job (\d+), after what they start from\n12 runs in the queue;/,
      );
      const [, first, second] = /job (\d+)[\s\S]*job (\d+)/.exec(submitted.stdout)!;
      const again = await command('sweep.json', '--on', 'slurm', '--time', '10:00', '--cap', '2');
      expect(again.stdout).toMatch(/^sweep: all that is not done is in the queue already;/);
      expect(queue().trim().split('\n')).toHaveLength(12);
      await until('the first run', () => begun('original-seed0'));
      expect((await command('status', 'sweep.json')).stdout).toMatch(
        /^sweep: 12 runs: 0 done, [12] running, \d+ waiting, 0 failed\n[\s\S]*waiting {2}noise-seed2-klScale16: PENDING \(Dependency\)/,
      );
      slurm.call('scancel', '--batch', '--signal=USR1', `${first}_0`);
      await until('its return', () => /Stopped[\s\S]*Engine: wasm/.test(read(log('original-seed0'))));

      rmSync(join(folder, 'here/runs/sweep.sweep/configs/noise-seed2-klScale16.json'));
      await until('a run of the second stage', () => begun('noise-seed0-klScale1'));
      const owner = read(join(folder, 'here/runs/noise-seed0-klScale1/.owner.json'));
      process.kill(JSON.parse(owner).process, 'SIGKILL');
      await until('the end', () => queue() === '');

      const status = await command('status', 'sweep.json');
      expect(status.stdout).toMatch(/^sweep: 12 runs: 10 done, 0 running, 0 waiting, 2 failed\n/);
      expect(status.stdout).toMatch(/failed {2}noise-seed0-klScale1: killed by signal 9; .+\n/);
      expect(status.stdout).toMatch(
        /failed {2}noise-seed2-klScale16: runs\/sweep\.sweep\/configs\/noise-seed2-klScale16\.json: there is no such file/,
      );

      const retried = await command('retry', 'sweep.json');
      expect(retried.stdout).toMatch(/^noise: 2 runs as job \d+\n2 runs in the queue/);
      expect(Number(/job (\d+)/.exec(retried.stdout)![1])).toBeGreaterThan(Number(second));
      await until('the end', () => queue() === '');
      const done = await command('sweep.json', '--on', 'slurm');
      expect(done.stdout).toMatch(
        /^sweep is done: 12 runs in [\s\S]*### LeNet-fc on digits[\s\S]*StructuredBP klScale 16, 3 seeds/,
      );
      expect(queue()).toBe('');

      const pooled = await sbp(join(folder, 'pool'), 'sweep', 'sweep.json');
      expect(pooled.code, pooled.stderr + pooled.stdout).toBe(0);
      for (const name of names) expect(weights('here', name), name).toBe(weights('pool', name));
    }, 400_000);

    it('is ended by cancel', async () => {
      const { original } = sweep.stages;
      writeFileSync(join(folder, 'here/few.json'), JSON.stringify({ stages: { few: original } }));
      await command('few.json', '--on', 'slurm');
      expect((await command('cancel', 'few.json')).stdout).toMatch(/^few: ended 3 runs; /);
      await until('the end', () => queue() === '');
      expect((await command('status', 'few.json')).stdout).toMatch(/^few: 3 runs: 0 done, 0 running, /);
    }, 60_000);
  },
);
