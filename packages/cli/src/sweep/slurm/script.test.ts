import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder } from '../../testing/process.js';
import { quoted } from '../commands.js';
import { planRuns } from '../plan/plan.js';
import { readSweep } from '../plan/read-sweep.js';
import { arraysOf } from './arrays.js';
import { batchScript } from './script.js';
import { ranges } from './submit.js';

let folder: string;
beforeAll(() => {
  folder = join(emptyFolder(), "a folder, it's 1");
  mkdirSync(folder);
});
afterAll(() => rmSync(join(folder, '..'), { recursive: true }));

/** The script of a sweep of one stage, and a list whose commands are these. */
async function script(
  more: object,
  commands: readonly string[] = [],
): Promise<{ text: string; logs: string }> {
  const file = join(folder, 'kl.json');
  const config = { model: 'lenet-fc', engine: 'wasm' };
  writeFileSync(file, JSON.stringify({ stages: { a: { command: 'train', config } }, ...more }));
  const sweep = readSweep(file);
  const [array] = arraysOf(sweep, await planRuns(sweep), 1000);
  mkdirSync(join(sweep.folder, 'slurm'), { recursive: true });
  mkdirSync(join(sweep.folder, 'logs'), { recursive: true });
  writeFileSync(array!.list, commands.map((command, i) => `run${i}\t${command}\n`).join(''));
  return { text: batchScript(sweep, array!, sweep.slurm), logs: join(sweep.folder, 'logs') };
}

describe('a batch script', () => {
  it('asks for what the sweep says, and by default for one core and its way back into the queue', async () => {
    const plain = (await script({})).text;
    expect(plain).toMatch(
      /^#!\/bin\/bash\n#SBATCH --job-name=kl-a-[0-9a-f]{10}\n#SBATCH "--chdir=.+it's 1"\n/,
    );
    for (const option of ['--requeue', '--open-mode=append', '--signal=B:USR1@60', '--cpus-per-task=1'])
      expect(plain).toContain(`\n#SBATCH ${option}\n`);
    for (const option of ['--time', '--mem', '--gres', '--partition']) expect(plain).not.toContain(option);
    const slurm = { partition: 'gpu', time: '1-12', mem: '4G', signal: 120, more: ['--account=lab'] };
    const { text } = await script({ cores: 4, gpus: 2, slurm });
    for (const option of [
      '--partition=gpu',
      '--time=1-12',
      '--mem=4G',
      '--gres=gpu:2',
      '--signal=B:USR1@120',
      '--cpus-per-task=4',
      '--account=lab',
    ])
      expect(text).toContain(`\n#SBATCH ${option}\n`);
  });

  it('runs the line of its task, with its words as they were, and ends as that does', async () => {
    const words = ['printf', '%s|', "it's", 'a $HOME "b"', '\\', '*'];
    const { text, logs } = await script({}, ['exit 3', quoted(words), "sh -c 'kill -9 $$'"]);
    const ended = (task: number) =>
      spawnSync('bash', ['-c', text], { env: { ...process.env, SLURM_ARRAY_TASK_ID: String(task) } }).status;
    expect([ended(0), ended(1), ended(2)]).toEqual([3, 0, 137]);
    expect(readFileSync(join(logs, 'run1.log'), 'utf8')).toBe(`${words.slice(2).join('|')}|`);
    expect(readFileSync(join(logs, 'run2.log'), 'utf8')).toMatch(/^killed by signal 9; /);
  });

  it('passes USR1 on, and puts its task back where that ends with 75', async () => {
    const line = `sh -c 'trap "exit 75" USR1; echo ready; while :; do sleep 0.05; done'`;
    const { text, logs } = await script({}, [line]);
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'scontrol'), '#!/bin/sh\necho "$@" >"$(dirname "$0")/asked"\n', { mode: 0o755 });
    const env = {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
      ...{ SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_JOB_ID: '7' },
    };
    const child = spawn('bash', ['-c', text], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const log = () => spawnSync('cat', [join(logs, 'run0.log')], { encoding: 'utf8' }).stdout;
    while (!log().endsWith('ready\n')) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGUSR1');
    expect(await ended).toBe(0);
    expect(readFileSync(join(bin, 'asked'), 'utf8')).toBe('requeue 7_0\n');
  });
});

it('arrays hold the tasks that are meant, whatever they are', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(30), { minLength: 1 }), (numbers) => {
      const sorted = numbers.sort((a, b) => a - b);
      const told = ranges(sorted)
        .split(',')
        .flatMap((part) => {
          const [first, last = first] = part.split('-').map(Number) as [number, number?];
          return Array.from({ length: last! - first + 1 }, (_, i) => first + i);
        });
      expect(told).toEqual(sorted);
    }),
  );
  expect(ranges([0, 1, 2, 5, 7, 8])).toBe('0-2,5,7-8');
});
