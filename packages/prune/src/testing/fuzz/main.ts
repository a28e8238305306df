// First: see there.
import './stock-classes.js';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import * as prune from '../../index.js';
import { buildGraph } from '../graphs/build.js';
import { describe } from '../graphs/describe.js';
import { type Failure, mean, newTally, type Tally, tryOne } from './fuzz.js';

const usage = `npm run fuzz:surgery -- [options]

Cuts random models of every kind of layer and compares each with itself before, in tfjs and in ONNX Runtime.

  --runs 5000   models to try
  --seed 1      another seed, other models
  --at N        only the Nth model of that seed
  --path P      with --at: the smaller model that shrinking had found there
  --no-onnx     leaves ONNX Runtime out
  --out FILE    writes the result as Markdown, too`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    at: { type: 'string' },
    path: { type: 'string' },
    'no-onnx': { type: 'boolean', default: false },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function whole(name: 'runs' | 'seed' | 'at', least: number): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= least && number < 2000) return number;
  if (name === 'runs' && Number.isSafeInteger(number) && number >= least && number <= 1_000_000)
    return number;
  console.error(`--${name} is ${values[name]}; expected a whole number from ${least}`);
  process.exit(2);
}

async function run(): Promise<void> {
  const seed = whole('seed', 0);
  const places =
    values.at === undefined ? Array.from({ length: whole('runs', 1) }, (_, i) => i) : [Number(values.at)];
  await tf.setBackend('cpu');
  const surgery = values['no-onnx'] ? { ...prune, exportOnnx: undefined } : prune;
  const tally = newTally();
  const started = Date.now();
  let said = 0;
  for (const at of places) {
    const known = tally.failures.length;
    await tryOne(surgery, seed, at, tally, { path: values.path });
    for (const failure of tally.failures.slice(known)) console.log(told(failure, seed));
    if (Date.now() - said > 2000 && process.stderr.isTTY) {
      said = Date.now();
      process.stderr.write(`\r${progress(tally, places.length)}  `);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const text = summary(tally, seed, (Date.now() - started) / 1000);
  console.log(text);
  if (values.out) writeFileSync(values.out, text);
  process.exitCode = tally.failures.length > 0 ? 1 : 0;
}

const count = (n: number) => n.toLocaleString('en-US');
const share = (n: number, all: number) => `${((100 * n) / Math.max(1, all)).toFixed(1)} %`;
const failed = ({ failures, alike }: Tally) =>
  failures.length + [...alike.values()].reduce((sum, n) => sum + n, 0);

function progress(tally: Tally, all: number): string {
  return `${count(tally.tried)} of ${count(all)}: ${failed(tally)} failed, ${share(tally.refused, tally.tried)} refused, MACs ÷ ${mean(tally.halved).toFixed(2)}`;
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

function summary(tally: Tally, seed: number, seconds: number): string {
  const require = createRequire(import.meta.url);
  const version = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  const rows = (counts: Map<string, number>) =>
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([what, n]) => `| ${what.replace(/\|/g, '\\|')} | ${count(n)} |`);
  const { tried, halved, groups, removed } = tally;
  const which = values.at === undefined ? `--runs ${tried}` : `--at ${values.at}`;
  const command = `npm run fuzz:surgery -- ${which} --seed ${seed}${values['no-onnx'] ? ' --no-onnx' : ''}`;
  return `# Surgery on random graphs

\`${command}\`

| | |
| :-- | --: |
| random graphs tried | ${count(tried)} |
| wrong, or an error that says not what to do | ${count(failed(tally))} |
| something refused for a reason below | ${count(tally.refused)} (${share(tally.refused, tried)}) |
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

Node ${process.versions.node}, tfjs ${version('@tensorflow/tfjs')} (cpu), onnxruntime-node ${version('onnxruntime-node')}, fast-check ${version('fast-check')}; ${cpus()[0]?.model.trim()}, one thread.
`;
}

if (values.help) {
  console.log(usage);
} else {
  await run();
}
