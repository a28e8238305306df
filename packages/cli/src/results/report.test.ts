import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeJson } from '../run/run-folder.js';
import { finishedRun } from '../testing/finished-run.js';
import { emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';

let folder: string;
const run = (line: string) => sbp(folder, ...line.split(' '));
const report = async (line: string): Promise<string> => {
  const ended = await run(`report ${line}`);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return readFileSync(join(folder, ended.stdout.trimEnd()), 'utf8');
};
const json = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
/** What a reader sees, with the pictures' texts. */
const words = (html: string) =>
  html.replaceAll(/<style>[\s\S]*<\/style>|<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = emptyFolder();
  const seeded = (seed: number) => ({ name: `noisy-${seed}`, title: 'Noise', train: { epochs: 3, seed } });
  await finishedRun(join(folder, 'runs/original'), { name: 'original', method: 'original' });
  await finishedRun(join(folder, 'runs/noisy-0'), seeded(0));
  await finishedRun(join(folder, 'runs/noisy-1'), seeded(1));
  await finishedRun(join(folder, 'runs/vd'), { name: 'vd', method: 'sparse-vd', data: { labels: 'random' } });
  mkdirSync(join(folder, 'results'));
  writeJson(join(folder, 'results/noisy-0.json'), json('runs/noisy-0/result.json'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('sbp report', () => {
  it("puts a run's page into its folder, with figures, pictures and what was run, and says where", async () => {
    const { code, stdout } = await run('report runs/noisy-0');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'runs/noisy-0/report.html\n' });
    expect(readdirSync(join(folder, 'runs/noisy-0')).filter((name) => name.startsWith('report'))).toEqual([
      'report.html',
    ]);
    const html = readFileSync(join(folder, 'runs/noisy-0/report.html'), 'utf8');
    const text = words(html);
    expect(text).toContain('LeNet-fc on MNIST: Noise Run noisy-0: 3 epochs, seed 0');
    expect(text).toContain('Small 1.81 210-84-56 71,270 71,120 7.66× 288 4.00× (3.60–4.40)');
    expect(text).toContain(
      'on 10,000 test images: probabilities within 7.2e-7, and every prediction is equal',
    );
    for (const title of [
      'The network before and after',
      'Loss and error by epoch',
      'Groups kept and test error by epoch',
      'Signal-to-noise ratios of the groups',
    ])
      expect(html.match(new RegExp(`<svg class="\\w+" role="img" aria-label="${title}"`, 'g'))).toHaveLength(
        2,
      );
    expect(text).toContain('input_noise 784 of 784 above 1');
    expect(text).toContain('input_noise: 574 groups at 0 are still read.');
    expect(text).toContain('Versions sbp 1.2.3, tfjs 4.22.0, Node v20.20.2');
    expect(text).toContain('Machine A CPU, 2 cores, linux x64');
    expect(html).toContain('&quot;klScale&quot;: 1');
  });

  it('needs nothing but itself, and is the same for the same run', async () => {
    const html = await report('runs/noisy-0');
    expect(html).not.toMatch(/https?:|<script|<link|src=|@import/);
    expect(await report('runs/noisy-0 --out new/again.html')).toBe(html);
  });

  it('compares several runs, and then shows each', async () => {
    const { stdout } = await run('report runs/original runs/noisy-0 runs/noisy-1');
    expect(stdout).toBe('report.html\n');
    const text = words(readFileSync(join(folder, 'report.html'), 'utf8'));
    expect(text).toContain('3 runs side by side, and one by one');
    expect(text).toContain('Noise, 2 seeds 1.81 (1.81–1.81) 210-84-56 22,904');
    expect(text).toContain('multiply-accumulates of one example');
    for (const title of ['Original, seed 0 (original)', 'Noise, seed 0 (noisy-0)', 'Noise, seed 1 (noisy-1)'])
      expect(text.split(title).length, title).toBe(3);
    // Where the table says nothing else, what one run alone says is there for each.
    expect(text.split('Config, with every default').length - 1).toBe(3);
  });

  it('compares what can be compared, network by network', async () => {
    const text = words(await report('runs/noisy-0 runs/noisy-1 runs/vd --out two.html'));
    expect(text).toContain('LeNet-fc on MNIST, LeNet-fc on MNIST with random labels');
    expect(text).toContain('SparseVD: groups kept');
  });

  it('says what a result without its folder lacks, and leaves out what a method does not have', async () => {
    const alone = words(await report('results --out alone.html'));
    expect(alone).toContain('The signal-to-noise ratios are not here');
    expect(alone).not.toContain('above 1');
    // The result in the run's folder is the run.
    const html = await report('runs/noisy-0/result.json --out file.html');
    expect(words(html)).toContain('input_noise 784 of 784 above 1');
    const plain = words(await report('runs/original --out plain.html'));
    for (const absent of ['ignal-to-noise', 'before and after', 'KL ', 'Groups kept'])
      expect(plain).not.toContain(absent);
  });

  it('shows titles as they are, whatever they are', async () => {
    const title = '</h1><img src=x onerror=alert(1)> & "more"';
    await finishedRun(join(folder, 'runs/hostile'), { name: 'hostile', title });
    const html = await report('runs/hostile');
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;/h1&gt;&lt;img src=x onerror=alert(1)&gt; &amp; &quot;more&quot;</h1>');
  });

  it.each([
    ['report none', /^sbp: none: there is no such file or folder; /],
    [
      'report begun',
      /^sbp: begun is not done: its phase train is still to come; the sbp train that began it/,
    ],
    ['report empty', /^sbp: empty: there is no \.json; /],
    ['report other.json', /^sbp: other\.json is not the result\.json of a run of this version: config: /],
    [
      'report runs/noisy-0 --out runs',
      /^sbp: --out: runs is a folder; give the file to write, such as runs\/report\.html/,
    ],
    ['report sweep.json', /^sbp: there is no result of a run, only of sweeps; /],
    ['report', /^sbp: missing required argument 'results'/],
  ])('%s ends in one line and code 2', async (line, expected) => {
    mkdirSync(join(folder, 'empty'), { recursive: true });
    mkdirSync(join(folder, 'begun'), { recursive: true });
    writeJson(join(folder, 'begun/config.json'), json('runs/noisy-0/config.json'));
    writeFileSync(join(folder, 'other.json'), '{}');
    const row = { macs: 1, errors: { 'test set': 1 } };
    const sweep = { sweep: 'x', title: 'x', net: 'LeNet-fc', budget: 'full', rows: [row] };
    writeJson(join(folder, 'sweep.json'), sweep);
    rmSync(join(folder, 'report.html'), { force: true });
    const { code, stdout, stderr } = await run(line);
    expect(stderr).toMatch(expected);
    expect(stderr).toMatch(/^sbp: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(existsSync(join(folder, 'report.html'))).toBe(false);
  });
});
