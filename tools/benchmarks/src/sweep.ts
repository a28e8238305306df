// 16 short runs by the pool of sbp sweep and one after another, and what a run takes beside its training. `npm run bench:sweep -- --help`
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, spread, table } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { Command } from 'commander';
import { written } from './written.js';

const sbp = fileURLToPath(new URL('../../../packages/cli/bin/sbp.js', import.meta.url));

interface Options {
  runs: string;
  examples: string;
  epochs: string;
  out?: string;
}

/** Seconds of a run, by what they went to. */
interface Parts {
  /** The process, its modules, the data: until its config is written. */
  'start and load': number;
  /** The training itself, with the test after each epoch. */
  epochs: number;
  /** What is made ready before the first step, and saved after the last. */
  'around the epochs': number;
  /** Cut, and checked on every test example. */
  'cut and check': number;
  /** Exported, drawn, told. */
  table: number;
  end: number;
}

await new Command('bench:sweep')
  .description(
    'Does short runs of LeNet-fc with noise on MNIST by the pool of sbp sweep, a core each, and the same one after another, on one core and on all; prints how long each took, and what a run takes beside its training and for what.',
  )
  .option('--runs <n>', 'how many', '16')
  .option('--examples <n>', 'training images of each', '5000')
  .option('--epochs <n>', 'of each', '2')
  .option('--out <stem>', 'also writes <stem>.md and <stem>.json')
  .action(measure)
  .parseAsync();

async function measure({ runs, examples, epochs, out }: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sbp-bench-sweep-'));
  try {
    const all = availableParallelism();
    const size = [runs, examples, epochs] as const;
    const ways = {
      [`by the pool, ${all} at once on a core each`]: swept(folder, 'pool', { cores: 1 }, size),
      'one after another, on one core': swept(folder, 'alone', { cores: 1, isPinned: true }, size),
      [`one after another, on all ${all} (as many replicas)`]: swept(folder, 'wide', { cores: 0 }, size),
    };
    const [pool] = Object.values(ways).map(({ seconds }) => seconds);
    const rows = Object.entries(ways).map(([how, { seconds, parts }]) => ({
      how,
      seconds,
      'as long as the pool': seconds / pool!,
      'a run beside its training, s (quartiles)': spread(parts.map(overhead)),
    }));
    const { parts } = Object.values(ways)[1]!;
    const names = Object.keys(parts[0]!) as (keyof Parts)[];
    const where = names.map((part) => ({
      part,
      'seconds (quartiles)': spread(parts.map((one) => one[part])),
    }));
    await useEngine('wasm');
    const { cpu, cores, node } = environment();
    const text = [
      table(rows, [
        { key: 'how' },
        { key: 'seconds', digits: 1 },
        { key: 'as long as the pool', digits: 2, unit: '×' },
        { key: 'a run beside its training, s (quartiles)', digits: 2 },
      ]),
      "Where a run's seconds go, one after another on one core:",
      table(where, [{ key: 'part' }, { key: 'seconds (quartiles)', digits: 2 }]),
      `${runs} runs of LeNet-fc with noise on ${Number(examples).toLocaleString('en-US')} images of MNIST, ${epochs} epochs each, tested on 10,000; wasm, not timed. The pool's seconds have its own start and the sweep's table and report in them. ${cpu}, ${cores} cores, Node ${node}.`,
    ].join('\n\n');
    written(text, { runs, examples, epochs, ways }, { stem: out, title: 'Sweeps', command: 'bench:sweep' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function overhead({ epochs: _, ...others }: Parts): number {
  return Object.values(others).reduce((sum, seconds) => sum + seconds, 0);
}

/** One way of doing them. @param how `isPinned`: the sweep has one core, and so one run at a time */
function swept(
  folder: string,
  name: string,
  { cores, isPinned = false }: { cores: number; isPinned?: boolean },
  [runs, examples, epochs]: readonly [string, string, string],
): { seconds: number; parts: Parts[] } {
  const here = join(folder, name);
  mkdirSync(here);
  const sweep = {
    cores,
    stages: {
      noise: {
        command: 'train',
        config: {
          model: 'lenet-fc',
          engine: 'wasm',
          data: { trainExamples: Number(examples) },
          noise: { klScale: 4, logSigmaInit: -1 },
          train: { epochs: Number(epochs), batchSize: 100, noiseRate: 30 },
          // what is timed beside other runs says nothing
          bench: { runtimes: [] },
        },
        values: { 'train.seed': Array.from({ length: Number(runs) }, (_, i) => i) },
      },
    },
  };
  writeFileSync(join(here, 'sweep.json'), JSON.stringify(sweep));
  const command = [
    ...(isPinned ? ['taskset', '-c', '0'] : []),
    process.execPath,
    sbp,
    'sweep',
    'sweep.json',
    '--json',
  ];
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    cwd: here,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`sbp sweep ended with ${status}: ${stderr.slice(-500)}`);
  const done = JSON.parse(stdout) as { runs: { folder: string; log: string; seconds: number }[] };
  return { seconds, parts: done.runs.map(partsOf) };
}

/** By when a run wrote what. */
function partsOf({ folder, log, seconds }: { folder: string; log: string; seconds: number }): Parts {
  const began = statSync(log).birthtimeMs;
  const at = (file: string) => (statSync(join(folder, file)).mtimeMs - began) / 1000;
  const epochs = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + (JSON.parse(line) as { seconds: number }).seconds, 0);
  const [loaded, trained, cut, told] = [
    at('config.json'),
    at('training.json'),
    at('pruning.json'),
    at('result.json'),
  ] as const;
  return {
    'start and load': loaded,
    epochs,
    'around the epochs': trained - loaded - epochs,
    'cut and check': cut - trained,
    table: told - cut,
    end: seconds - told,
  };
}
