// What sbp compress must reach, reached by the command itself. `npm run rows -- --help`
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Column, table } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { Command } from 'commander';
import { type Asked, asked } from './asked.js';

/** What is kept of a compression's result.json. */
interface Result {
  measure: string;
  before: { error: number; macs: number; params: number; bytes: number };
  cut: { error: number };
  after: { error: number; macs: number; params: number; bytes: number };
  report: { target: { reached: number; taken: { above: number; below: number } } };
  timings: { name: string; engine: string; speedup: unknown }[];
  seconds: number;
  estimated: number;
  history: { noise: unknown[]; tune: unknown[] };
  on: object;
  environment: { cpu: string; cores: number; platform: string; node: string; tfjs: string };
  settings: Record<string, unknown>;
  version: string;
}

const sbp = fileURLToPath(new URL('../../../packages/cli/bin/sbp.js', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));

const program = new Command('rows')
  .description(
    'Runs sbp compress on every model and data that it is promised for, and prints what came of it.',
  )
  .argument('[rows...]', `of ${asked.map(({ name }) => name).join(', ')}; default: all`)
  .option('--folder <folder>', 'where runs are kept; what is done there is not done again', 'runs/rows')
  .option('--out <stem>', 'also writes <stem>.md and <stem>.json')
  .option('--again', 'anew, also what is done')
  .action(
    async (names: string[], { folder, out, again }: { folder: string; out?: string; again?: boolean }) => {
      await useEngine('wasm');
      const results: { row: Asked; result: Result }[] = [];
      for (const row of asked.filter(({ name }) => names.length === 0 || names.includes(name))) {
        const to = join(folder, row.name);
        if (again) rmSync(to, { recursive: true, force: true });
        console.log(`\n${row.name}: ${row.what}`);
        const { status } = spawnSync(
          process.execPath,
          [sbp, 'compress', ...(await row.args(folder)), '--out', to],
          { stdio: 'inherit' },
        );
        if (status !== 0) throw new Error(`sbp compress of ${row.name} ended with ${status}`);
        results.push({ row, result: JSON.parse(readFileSync(join(to, 'result.json'), 'utf8')) as Result });
      }
      const text = markdown(results);
      console.log(`\n${text}`);
      if (!out) return;
      mkdirSync(dirname(out), { recursive: true });
      writeFileSync(`${out}.md`, `# What sbp compress reaches\n\n${text}\n`);
      writeFileSync(
        `${out}.json`,
        `${JSON.stringify(
          results.map(({ row: { name, what }, result }) => ({
            name,
            what,
            ...result,
            settings: here(result.settings),
          })),
          undefined,
          1,
        )}\n`,
      );
    },
  );

/** Paths as they are in a clone. */
function here(settings: Result['settings']): Result['settings'] {
  const short = (value: unknown) =>
    typeof value === 'string' ? value.replace(root, '').replace(/^.*\/(?=[^/]*made-)/, '') : value;
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, short(value)]));
}

function markdown(results: readonly { row: Asked; result: Result }[]): string {
  const rows = results.map(({ row, result }) => {
    const { measure, before, cut, after, seconds, estimated, timings, history } = result;
    const speedup = timings.find(({ name, engine }) => name === 'after' && engine === 'onnxruntime')?.speedup;
    const kept = after.macs <= row.most.macs * before.macs && after.error <= row.most.error(before.error);
    const inTime = row.minutes === undefined || seconds <= 60 * row.minutes;
    return {
      row: row.name,
      measure,
      ...{ before: before.error, cut: cut.error, after: after.error },
      asked: row.most.words,
      macs: before.macs / after.macs,
      bytes: `${Math.round(before.bytes / 1000)} → ${Math.round(after.bytes / 1000)}`,
      speedup,
      epochs: `${history.noise.length} + ${history.tune.length}`,
      minutes: seconds / 60,
      said: estimated / 60,
      kept: kept && inTime ? 'yes' : 'NO',
    };
  });
  const columns: Column[] = [
    { key: 'row', title: '' },
    { key: 'measure' },
    { key: 'before', digits: 3 },
    { key: 'cut', digits: 3 },
    { key: 'after', title: 'fine-tuned', digits: 3 },
    { key: 'asked' },
    { key: 'macs', title: 'MACs reduced', digits: 2, unit: '×' },
    { key: 'bytes', title: 'files, kB' },
    { key: 'speedup', title: 'speed-up, ONNX Runtime', digits: 2, unit: '×', missing: '–' },
    { key: 'epochs' },
    { key: 'minutes', digits: 1 },
    { key: 'said', title: 'said beforehand', digits: 1 },
    { key: 'kept', title: 'reached' },
  ];
  const { environment, version } = (results[0] as (typeof results)[0]).result;
  const args = process.argv.slice(2);
  return [
    `Printed by \`npm run rows${args.length > 0 ? ` -- ${args.join(' ')}` : ''}\`, ${new Date().toISOString().slice(0, 10)}. ${environment.cpu}, ${environment.cores} cores, ${environment.platform}, Node ${environment.node}, tfjs ${environment.tfjs} on wasm, sbp ${version}; seed 0, the command's defaults.`,
    '',
    table(rows, columns),
    '',
    ...results.map(({ row }) => `- ${row.name}: ${row.what}`),
  ].join('\n');
}

await program.parseAsync();
