// One epoch of each training phase of the CIFAR-10 experiment at width 1: time and memory, and what the published schedule takes at that speed.
// Usage: node dist/full-width.js [training images, 50000] [phases, all]
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, table } from '@sbp/bench';
import { vggLike } from '@sbp/layers';
import { countFlops } from '@sbp/prune';
import type { EpochMetrics } from '@sbp/train';

const CIFAR10 = 50_000;
/** What a data-centre GPU is taken to do, in float32, on networks like this one at batch 100; nothing here has measured it. */
const GPU_FLOPS = 10e12;
/** Each starts from the first. By phase, the convolutions of a layer: SparseVD has one for means and one for variances. */
const PHASES = { pretrain: 1, sbp: 1, ssl: 1, 'sparse-vd': 2 };

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
const args = process.argv.slice(2);
const [given = CIFAR10, ...asked] = args;
const images = Number(given);
const folder = await mkdtemp(join(tmpdir(), 'sbp-full-width-'));

interface Measured {
  /** Of the epoch, without the look at the test images. */
  seconds: number;
  /** Of the published schedule. */
  epochs: number;
  /** Peak resident memory in bytes, where the system tells. */
  peak: number | undefined;
}

async function oneEpoch(phase: string): Promise<Measured> {
  const {
    medium: _,
    short: __,
    ...config
  } = JSON.parse(readFileSync(path(`experiments/cifar10-vgg-like/${phase}.json`), 'utf8'));
  const file = join(folder, `${phase}.json`);
  const data = { ...config.data, trainExamples: images };
  await writeFile(file, JSON.stringify({ ...config, data, train: { ...config.train, epochs: 1 } }));
  const peak = await run([path('packages/cli/bin/sbp.js'), 'train', file, '--phase', 'train']);
  const [line] = (await readFile(join(folder, 'runs', phase, 'metrics.jsonl'), 'utf8')).split('\n');
  const { imagesPerSecond } = JSON.parse(line as string) as EpochMetrics;
  return { seconds: images / imagesPerSecond, epochs: config.train.epochs, peak };
}

/** @returns the peak of the program's resident memory, if the system tells */
function run(args: string[]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
    const status = `/proc/${child.pid}/status`;
    let peak: number | undefined;
    const look = setInterval(() => {
      const kilobytes = existsSync(status) && /VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1];
      if (kilobytes) peak = 1024 * Number(kilobytes);
    }, 500);
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(look);
      if (code === 0) resolve(peak);
      else reject(new Error(`sbp ${args.slice(1).join(' ')} ended with code ${code}`));
    });
  });
}

try {
  const macs = countFlops(vggLike()).macs;
  const rows: object[] = [];
  for (const [phase, convolutions] of Object.entries(PHASES)) {
    if (asked.length > 0 && !asked.includes(phase)) continue;
    const { seconds, epochs, peak } = await oneEpoch(phase);
    const whole = (seconds * CIFAR10) / images;
    // one pass forward, two backward, two operations a multiply-accumulate
    const flops = 6 * convolutions * macs * CIFAR10 * epochs;
    rows.push({
      phase,
      'images measured': images,
      'images/s': Math.round(images / seconds),
      'an epoch of 50,000': `${(whole / 60).toFixed(1)} min`,
      'peak memory': peak === undefined ? '–' : `${(peak / 1e9).toFixed(2)} GB`,
      'published epochs': epochs,
      'all of them here': `${((whole * epochs) / 86_400).toFixed(1)} days`,
      'on a GPU, an estimate': `${(flops / GPU_FLOPS / 3600).toFixed(1)} h`,
    });
  }
  const command = ['npm run bench:full-width', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const { node, cpu, cores, platform } = environment();
  console.log(`\n${table(rows)}\n
VGG-like × 1, batch 100, ${macs.toLocaleString('en')} MACs an image forward. sbpa and sbpa-macs take the steps of sbp; fine-tuning those of
pretrain on a smaller network. The GPU's time is no measurement: 6 operations a MAC, twice in SparseVD, at ${GPU_FLOPS / 1e12} TFLOP/s, which is an assumption.

Printed by \`${command}\`, ${new Date().toISOString().slice(0, 10)}. ${cpu}, ${cores} cores, ${platform}, Node ${node}.`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
