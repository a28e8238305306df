// First: see there.
import './stock-classes.js';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import * as prune from '../../index.js';
import { buildGraph } from '../graphs/build.js';
import { describe } from '../graphs/describe.js';
import { type Failure, mean, newTally, sumOf, type Tally, tryOne } from './fuzz.js';

const usage = `npm run fuzz:surgery -- [options]

Cuts random models of every kind of layer and compares each with itself before, in tfjs and in ONNX Runtime.

  --runs 5000   models to try
  --seed 1      another seed, other models
  --at N        only the Nth model of that seed
  --path P      with --at: the smaller model that shrinking had found there
  --jobs N      processes that share the work; default one for each core
  --no-onnx     leaves ONNX Runtime out
  --out FILE    writes the result as Markdown, too`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    at: { type: 'string' },
    path: { type: 'string' },
    jobs: { type: 'string', default: `${availableParallelism()}` },
    job: { type: 'string' },
    'no-onnx': { type: 'boolean', default: false },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** Bounds of the options that are whole numbers. */
const bounds = { runs: [1, 999_999], seed: [0, 1999], at: [0, 999_999], jobs: [1, 256] } as const;

function whole(name: keyof typeof bounds): number {
  const [least, most] = bounds[name];
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= least && number <= most) return number;
  console.error(`--${name} is ${values[name]}; expected a whole number from ${least} to ${most}`);
  process.exit(2);
}

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stopped = true;
  });

/** Which trials a run is of. */
const placesOf = () =>
  values.at === undefined ? Array.from({ length: whole('runs') }, (_, i) => i) : [whole('at')];

/** Tries some of the trials; tells of each failure as it comes, and now and then how far it is. */
async function tryAll(
  places: readonly number[],
  tell: (failure: string) => void,
  show: (tally: Tally) => void,
): Promise<Tally> {
  await tf.setBackend('cpu');
  const seed = whole('seed');
  const surgery = {
    ...prune,
    ...(values['no-onnx'] && { exportOnnx: undefined }),
    reloads: true,
  };
  const tally = newTally();
  let shown = Date.now();
  for (const at of places) {
    // What has been found by then counts.
    if (stopped) break;
    // Signals come in between trials.
    await new Promise(setImmediate);
    const known = tally.failures.length;
    await tryOne(surgery, seed, at, tally, { path: values.path });
    for (const failure of tally.failures.slice(known)) tell(told(failure, seed));
    if (Date.now() - shown < 2000) continue;
    shown = Date.now();
    show(tally);
  }
  return tally;
}

/** What a process of its own sends: a failure to be told of, or its tally. */
type Message = { readonly failure: string } | { readonly tally: Tally };

/** Tries every so manieth trial, for the process that has started this one. */
async function serve(job: number, jobs: number): Promise<void> {
  const send = (message: Message) => process.send!(message);
  const places = placesOf().filter((_, i) => i % jobs === job);
  const tally = await tryAll(
    places,
    (failure) => send({ failure }),
    (tally) => send({ tally }),
  );
  send({ tally });
  process.disconnect();
}

/** Shares the trials out among processes. */
async function share(jobs: number, show: (tally: Tally) => void): Promise<Tally> {
  const tallies = new Map<number, Tally>();
  const children = Array.from({ length: jobs }, (_, job) => {
    const child = fork(process.argv[1]!, [...process.argv.slice(2), '--job', `${job}`], {
      serialization: 'advanced',
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
    child.on('message', (message: Message) => {
      if ('failure' in message) console.log(message.failure);
      else {
        tallies.set(job, message.tally);
        show(sumOf([...tallies.values()]));
      }
    });
    return once(child, 'exit');
  });
  for (const [code] of await Promise.all(children))
    if (code !== 0) throw new Error(`a process of the fuzzer ended with ${code}`);
  return sumOf([...tallies.values()]);
}

async function run(): Promise<void> {
  const places = placesOf();
  const jobs = Math.min(whole('jobs'), places.length);
  if (values.job !== undefined) return serve(Number(values.job), jobs);
  const started = Date.now();
  let shown = started;
  const show = (tally: Tally) => {
    const line = progress(tally, places.length);
    if (process.stderr.isTTY) {
      process.stderr.write(`\r${line}  `);
    } else if (Date.now() - shown > 60_000) {
      shown = Date.now();
      console.error(line);
    }
  };
  const tally = jobs === 1 ? await tryAll(places, console.log, show) : await share(jobs, show);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const text = summary(tally, places.length, jobs, (Date.now() - started) / 1000);
  console.log(text);
  if (values.out) writeFileSync(values.out, text);
  process.exitCode = tally.failures.length > 0 ? 1 : 0;
}

const count = (n: number) => n.toLocaleString('en-US');
const percent = (n: number, all: number) => `${((100 * n) / Math.max(1, all)).toFixed(1)} %`;
const failed = ({ failures, alike }: Tally) =>
  failures.length + [...alike.values()].reduce((sum, n) => sum + n, 0);

function progress(tally: Tally, all: number): string {
  return `${count(tally.tried)} of ${count(all)}: ${failed(tally)} failed, ${percent(tally.refused, tally.tried)} refused, MACs ÷ ${mean(tally.halved).toFixed(2)}`;
}

/** A failure with the smallest graph that shows it. */
function told({ at, path, message, trial }: Failure, seed: number): string {
  const { spec, ...rest } = trial;
  return `
FAILED: ${message}
again: npm run fuzz:surgery -- --seed ${seed} --at ${at} --path ${path}
${JSON.stringify(rest)}
${JSON.stringify(spec)}
${describe(buildGraph(spec, { noisy: rest.noise === 'own' }))}
`;
}

function summary(tally: Tally, wanted: number, jobs: number, seconds: number): string {
  const require = createRequire(import.meta.url);
  const version = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  const rows = (counts: Map<string, number>) =>
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([what, n]) => `| ${what.replace(/\|/g, '\\|')} | ${count(n)} |`);
  const { tried, halved, groups, removed } = tally;
  const which = values.at === undefined ? `--runs ${wanted}` : `--at ${values.at}`;
  const command = `npm run fuzz:surgery -- ${which} --seed ${values.seed}${values['no-onnx'] ? ' --no-onnx' : ''}`;
  return `# Surgery on random graphs

\`${command}\`${tried < wanted ? `, stopped after ${count(tried)} of them` : ''}

| | |
| :-- | --: |
| random graphs tried | ${count(tried)} |
| wrong, or an error that says not what to do | ${count(failed(tally))} |
| something refused for a reason below | ${count(tally.refused)} (${percent(tally.refused, tried)}) |
| groups of channels and units | ${count(groups)} |
| of them removed | ${count(removed)} |
| graphs with half of the groups of every set drowned | ${count(halved.length)} |
| of these, MACs before ÷ after, mean | ${halved.length > 0 ? mean(halved).toFixed(2) : '–'} |
| seconds | ${seconds.toFixed(0)} |

| refused | graphs |
| :-- | --: |
${rows(tally.refusals).join('\n')}

| kind of layer | graphs with it |
| :-- | --: |
${rows(tally.kinds).join('\n')}

| what reports said | times |
| :-- | --: |
${rows(tally.notes).join('\n')}

Node ${process.versions.node}, tfjs ${version('@tensorflow/tfjs')} (cpu), onnxruntime-node ${version('onnxruntime-node')}, fast-check ${version('fast-check')}; ${cpus().length} × ${cpus()[0]?.model.trim()}, ${jobs} ${jobs === 1 ? 'process' : 'processes'} of one thread.
`;
}

if (values.help) {
  console.log(usage);
} else {
  await run();
}
