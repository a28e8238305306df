import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fewDigits } from '../../testing/few-digits.js';
import { emptyFolder, spawned, start } from '../../testing/process.js';

const config = {
  model: 'lenet-fc',
  engine: 'wasm',
  data: { normalize: '0..1', trainExamples: 200 },
  bench: { runtimes: [] },
};
/** Two runs, of which one has no data, and four that start from them. */
const sweep = {
  stages: {
    noise: {
      command: 'train',
      from: 'original',
      config: { ...config, noise: { logSigmaInit: -1 }, train: { epochs: 2, batchSize: 10 } },
      values: { 'noise.klScale': [1, 2], 'data.source': ['digits', 'broken'] },
    },
    original: {
      command: 'train',
      config: { ...config, method: 'original', train: { epochs: 1, batchSize: 50 } },
      values: { 'data.source': ['digits', 'broken'] },
    },
  },
};

let folder: string;
beforeAll(async () => {
  folder = emptyFolder();
  await fewDigits(join(folder, 'digits'));
  mkdirSync(join(folder, 'broken'));
  writeFileSync(join(folder, 'broken/train-images-idx3-ubyte'), 'no images');
  writeFileSync(join(folder, 'sweep.json'), JSON.stringify(sweep));
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const log = (name: string) => read(join(folder, 'runs/sweep.sweep/logs', `${name}.log`));
async function begun(name: string): Promise<void> {
  for (let tries = 0; !/Engine: wasm .+, 1 replica\n/.test(log(name)); tries++) {
    if (tries > 1200) throw new Error(`${name} did not begin: ${log(name)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('runs that fail or are killed do not end others; those that start from them are not run; what is left goes on, also after Ctrl-C', async () => {
  const first = start(folder, ['sweep', 'sweep.json', '--json']);
  await begun('noise-digits-klScale1');
  const { process: id } = JSON.parse(read(join(folder, 'runs/noise-digits-klScale1/.owner.json')));
  process.kill(id, 'SIGKILL');
  const failed = await first.ended;
  expect(failed.stderr).toMatch(
    /^sweep: 6 runs; \d+ at once, on 1 core each; their logs are in runs\/sweep\.sweep\/logs\n/,
  );
  expect(failed.stderr).toMatch(/\[\d\/6\] original-broken failed after .+ s: .*broken/);
  expect(failed.stderr).toMatch(/\[\d\/6\] original-digits done in .+ s/);
  expect(failed.stderr).toMatch(
    /\[\d\/6\] noise-broken-klScale1 not run: it starts from original-broken, which failed/,
  );
  expect(failed.stderr).toMatch(
    /\[\d\/6\] noise-digits-klScale1 failed after .+ s: killed by SIGKILL; its last line: /,
  );
  expect(failed.stderr).toMatch(/\[\d\/6\] noise-digits-klScale2 done in/);
  expect(failed.stderr).toMatch(
    /\nsbp: 2 of 6 runs failed, and 2 that start from them were not run; the first: original-broken: .+ \(all of it: .+original-broken\.log\)\. Mend it, and sbp sweep sweep\.json does what is left\.\n$/,
  );
  expect(failed.code).toBe(1);
  const states = JSON.parse(failed.stdout).runs.map((run: { state: string }) => run.state);
  expect(states).toEqual(['done', 'failed', 'failed', 'done', 'not run', 'not run']);

  const status = await spawned(folder, 'sweep', 'status', 'sweep.json');
  expect(status.stdout).toMatch(/^sweep: 6 runs: 2 done, 0 running, 2 waiting, 2 failed/);
  expect(status.stdout).toMatch(
    /waiting {2}noise-broken-klScale2: original-broken, which it starts from, failed/,
  );

  rmSync(join(folder, 'broken'), { recursive: true });
  cpSync(join(folder, 'digits'), join(folder, 'broken'), { recursive: true });
  const second = start(folder, ['sweep', 'sweep.json']);
  await begun('original-broken');
  second.child.kill('SIGINT');
  const stopped = await second.ended;
  expect(stopped.stderr).toMatch(
    /^\nStopped; 2 of 6 runs are done, and what was under way is kept: the same command goes on\.\n$/,
  );
  expect(stopped.code).toBe(130);

  const whole = await spawned(folder, 'sweep', 'sweep.json');
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(whole.stdout).toMatch(/^sweep: 6 runs, 2 are done; /);
  expect(whole.stdout).toMatch(/### LeNet-fc on digits[\s\S]+StructuredBP digits klScale 2/);
  for (const file of ['table.md', 'report.html'])
    expect(read(join(folder, 'runs/sweep.sweep', file))).not.toBe('');
  const done = await spawned(folder, 'sweep', 'sweep.json');
  expect(done.stdout).toMatch(/^sweep is done: 6 runs in .+\n\n### LeNet-fc on digits/);
}, 240_000);
