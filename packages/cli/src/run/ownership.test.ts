import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyFolder } from '../testing/process.js';
import { owned } from './ownership.js';

let folder: string;
beforeEach(() => {
  folder = join(emptyFolder(), 'run');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const minutesAgo = (minutes: number) => new Date(Date.now() - 60_000 * minutes);
/** Marks the folder as another's, who gave the last sign of life so long ago. */
function ownedBy(owner: { host: string; process: number }, lastSeen: Date): void {
  const lock = join(folder, '.owner.lock');
  mkdirSync(lock, { recursive: true });
  utimesSync(lock, lastSeen, lastSeen);
  writeFileSync(join(folder, '.owner.json'), JSON.stringify({ ...owner, since: '2026-01-02T03:04:05.678Z' }));
}

/** The number of a process that is gone. */
async function goneProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid!;
}

describe('a folder', () => {
  it('has one owner, who is named to others, and nothing is left of it', async () => {
    await owned(folder, async () => {
      const { host, process: id } = JSON.parse(readFileSync(join(folder, '.owner.json'), 'utf8'));
      expect([host, id]).toEqual([hostname(), process.pid]);
      await expect(owned(folder, async () => 1)).rejects.toThrow(
        new RegExp(
          `run is being worked in by process ${process.pid} on .+, since 20.+: wait for it, stop it`,
        ),
      );
    });
    expect(existsSync(folder)).toBe(false);
    const failed = owned(join(folder, 'deeper'), async () => {
      throw new Error('own');
    });
    await expect(failed).rejects.toThrow('own');
    expect(existsSync(folder)).toBe(false);
    await owned(folder, async () => writeFileSync(join(folder, 'kept'), ''));
    expect(readdirSync(folder)).toEqual(['kept']);
  });

  it('is taken over at once from a process of this machine that is gone, by one of those who try', async () => {
    ownedBy({ host: hostname(), process: await goneProcess() }, minutesAgo(0));
    writeFileSync(join(folder, 'result.json.elsewhere-7.tmp'), 'half');
    writeFileSync(join(folder, 'result.json'), 'whole');
    writeFileSync(join(folder, 'notes.tmp'), "somebody's own");
    const tries = Array.from({ length: 5 }, () =>
      owned(folder, async () => {
        expect(readdirSync(folder).sort()).toEqual([
          '.owner.json',
          '.owner.lock',
          'notes.tmp',
          'result.json',
        ]);
        await new Promise((resolve) => setTimeout(resolve, 3000));
      }),
    );
    const ended = (await Promise.allSettled(tries)).map(({ status }) => status).sort();
    expect(ended).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'rejected']);
  });

  it('stays with a process of this machine that lives, however long it has said nothing', async () => {
    ownedBy({ host: hostname(), process: process.ppid }, minutesAgo(60));
    await expect(owned(folder, async () => 1)).rejects.toThrow(`process ${process.ppid} on`);
  });

  it('stays with another machine until that has said nothing for five minutes', async () => {
    ownedBy({ host: 'elsewhere', process: 7 }, minutesAgo(4));
    await expect(owned(folder, async () => 1)).rejects.toThrow(
      /process 7 on elsewhere, since 2026-01-02.*if that is gone, this works 5 min 0 s after it/,
    );
    ownedBy({ host: 'elsewhere', process: 7 }, minutesAgo(6));
    expect(await owned(folder, async () => 1)).toBe(1);
  });
});
