import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './fake-tensorflow.js';
import { downloadWheel, findPip } from './pip.js';

let folder: string;
let downloads = 0;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A pip whose `download` does what `script` says, with the folder for the wheel in `dest`, the rest in `args`. */
async function pipThat(script: string): Promise<readonly string[]> {
  const file = join(folder, `pip-${downloads++}.mjs`);
  await writeFile(
    file,
    `import { mkdirSync, writeFileSync, appendFileSync } from 'node:fs';
     import { setTimeout as sleep } from 'node:timers/promises';
     const args = process.argv.slice(2); const dest = args[args.indexOf('--dest') + 1];
     ${script}`,
  );
  return [process.execPath, file];
}

async function get(pip: readonly string[], onBytes?: (done: number, total?: number) => void) {
  const to = join(folder, `to-${downloads++}`);
  await mkdir(to);
  return downloadWheel(pip, 'tensorflow-cpu==2.21.*', to, { onBytes });
}

describe('pip', () => {
  it('reports the bytes of its wheel out of the size that pip announces', async () => {
    const seen: [number, number?][] = [];
    const pip = await pipThat(`
      console.log('  Downloading a-2.21.0-cp311-cp311-linux_x86_64.whl (1.5 MB)');
      const scratch = process.env.TMPDIR + '/pip-unpack-x'; mkdirSync(scratch);
      for (let i = 0; i < 3; i++) { appendFileSync(scratch + '/a.whl', Buffer.alloc(5e5)); await sleep(300); }
      writeFileSync(dest + '/a-2.21.0-cp311-cp311-linux_x86_64.whl', 'x');`);
    const wheel = await get(pip, (...bytes) => seen.push(bytes));
    expect(basename(wheel)).toBe('a-2.21.0-cp311-cp311-linux_x86_64.whl');
    expect(seen.at(-1)).toEqual([1.5e6, 1.5e6]);
    expect(seen.map(([done]) => done)).toContain(5e5);
  });

  it("takes another Python's wheel where there is none for pip's own", async () => {
    const pip = await pipThat(`
      if (!args.includes('--python-version')) {
        console.error('ERROR: No matching distribution found for tensorflow-cpu==2.21.*'); process.exit(1);
      }
      if (!args.includes('--platform')) process.exit(2);
      writeFileSync(dest + '/b.whl', 'x');`);
    expect(basename(await get(pip))).toBe('b.whl');
  });

  it.each([
    ['no-wheel', "console.error('ERROR: No matching distribution found for x'); process.exit(1)", /no wheel/],
    [
      'download',
      `console.error("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'");
       console.error('ERROR: Could not find a version that satisfies the requirement'); process.exit(1)`,
      /could not be reached/,
    ],
    [
      'download',
      "console.error('ERROR: THESE PACKAGES DO NOT MATCH THE HASHES'); process.exit(1)",
      /DO NOT MATCH/,
    ],
    ['disk', "console.error('ERROR: OSError: [Errno 28] No space left on device'); process.exit(1)", /disk/],
    [
      'interrupted',
      "process.kill(process.pid, 'SIGKILL'); await sleep(1000)",
      /SIGKILL.*nothing was changed/,
    ],
    ['download', 'process.exit(3)', /said nothing/],
  ])('ends in %s when it must', async (code, script, message) => {
    await expect(get(await pipThat(script))).rejects.toMatchObject({
      name: 'TensorflowError',
      code,
      message: expect.stringMatching(message),
    });
  });

  it('of this machine says that its index could not be reached, also where it is to try only once (skips without pip)', async (context) => {
    const pip = await findPip().catch(() => context.skip());
    const { PIP_INDEX_URL, PIP_RETRIES } = process.env;
    Object.assign(process.env, { PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_RETRIES: '0' });
    try {
      const to = join(folder, 'unreachable');
      await mkdir(to);
      await expect(downloadWheel(pip, 'sbp-is-no-package==1', to)).rejects.toMatchObject({
        code: 'download',
        message: expect.stringMatching(/its index could not be reached/),
      });
    } finally {
      for (const [name, value] of Object.entries({ PIP_INDEX_URL, PIP_RETRIES }))
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    }
  });

  it('is found under any of its names', async () => {
    const { PATH } = process.env;
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'pip3'), '#!/bin/sh\necho pip 25\n');
    await chmod(join(bin, 'pip3'), 0o755);
    process.env.PATH = bin;
    try {
      expect(await findPip()).toEqual(['pip3']);
      process.env.PATH = folder;
      await expect(findPip()).rejects.toMatchObject({ code: 'no-pip' });
    } finally {
      process.env.PATH = PATH;
    }
  });
});
