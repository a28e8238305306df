import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fewDigits } from './testing/few-digits.js';
import { command, emptyFolder } from './testing/process.js';

let folder: string;
beforeAll(async () => {
  folder = emptyFolder();
  await fewDigits(join(folder, 'digits'));
  const config = {
    name: 'run',
    net: 'lenet-fc',
    data: { source: 'digits', normalize: '0..1' },
    train: { epochs: 1, batchSize: 50, replicas: 1 },
    engine: 'wasm',
    bench: { repeats: 1 },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true }));

const shell = (script: string) =>
  spawnSync('sh', ['-c', script.replaceAll('sbp ', `'${process.execPath}' '${command}' `)], {
    cwd: folder,
    encoding: 'utf8',
  });

describe('output that', () => {
  it('nobody reads ends no run', () => {
    const { stdout, stderr } = shell('sbp train config.json | head -1');
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toBe('');
    expect(existsSync(join(folder, 'runs/run/result.json'))).toBe(true);
  }, 60_000);

  it.skipIf(!existsSync('/dev/full'))(
    'cannot be written is a failure, in one line (needs /dev/full)',
    () => {
      const { status, stderr } = shell('sbp flops runs/run/pruned > /dev/full');
      expect(stderr).toMatch(/^sbp: the output could not be written: .*ENOSPC.*\n$/);
      expect(status).toBe(1);
    },
    60_000,
  );
});
