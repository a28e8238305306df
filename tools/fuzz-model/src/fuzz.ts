// `npm run fuzz:model -- --mutations 10000 --seed 1`; `--only 123` runs one mutation again, `--files json` or `--files keras` takes only such models.
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { environment, table } from '@sbp/bench';
import { kerasModels, writeOwnModels } from './own-models.js';
import { fuzz, type Result } from './run.js';

const { values } = parseArgs({
  options: {
    mutations: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    files: { type: 'string' },
    models: { type: 'string', default: fileURLToPath(new URL('../../../../shared/models', import.meta.url)) },
  },
});
const seed = Number(values.seed);
const [from, count] = values.only === undefined ? [0, Number(values.mutations)] : [Number(values.only), 1];

const scratch = await mkdtemp(join(tmpdir(), 'sbp-fuzz-models-'));
try {
  const own = [
    ...(values.files === 'keras' ? [] : await writeOwnModels(scratch)),
    ...(values.files === 'json' ? [] : kerasModels()),
  ];
  const others =
    existsSync(values.models) && values.files !== 'keras'
      ? readdirSync(values.models, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => join(values.models, name))
          .sort()
      : [];
  const began = performance.now();
  const results = await fuzz({ seed, from, count, models: [...own, ...others], say: progress });
  report(results, own.length, others.length, (performance.now() - began) / 1000);
  process.exitCode = results.some(({ faults }) => faults.length > 0) ? 1 : 0;
} finally {
  await rm(scratch, { recursive: true });
}

function progress(done: number): void {
  if (done % 500 === 0) process.stderr.write(`${done} of ${count}\n`);
}

function report(results: readonly Result[], own: number, others: number, seconds: number): void {
  const kinds = [...new Set(results.map(({ kind }) => kind))].sort();
  const rows = kinds.map((kind) =>
    row(
      kind,
      results.filter((result) => result.kind === kind),
    ),
  );
  console.log(
    table(
      [...rows, row('all', results)],
      [
        { key: 'kind', title: 'what was done' },
        { key: 'tried', digits: 0 },
        { key: 'opened', digits: 0 },
        { key: 'refused', digits: 0 },
        { key: 'failed', digits: 0 },
        { key: 'slowest', title: 'most computing, ms', digits: 0 },
      ],
    ),
  );
  const failed = results.filter(({ faults }) => faults.length > 0);
  for (const { mutation, kind, model, faults, refused } of failed.slice(0, 50))
    console.log(`\n${mutation}: ${kind}, ${model}: ${faults.join('; ')}${refused ? `\n  ${refused}` : ''}`);
  const { engine: _, ...machine } = environment();
  console.log(
    `\n${results.length} mutations of seed ${seed}, of ${own} models of our own and ${others} of ${values.models}: ${failed.length} failed; ${seconds.toFixed(0)} s\n${JSON.stringify(machine)}`,
  );
  if (values.only !== undefined) console.log(results[0]!.refused ?? 'opened');
}

function row(kind: string, some: readonly Result[]) {
  return {
    kind,
    tried: some.length,
    opened: some.filter(({ refused, faults }) => refused === undefined && faults.length === 0).length,
    refused: some.filter(({ refused, faults }) => refused !== undefined && faults.length === 0).length,
    failed: some.filter(({ faults }) => faults.length > 0).length,
    slowest: Math.max(...some.map(({ milliseconds }) => milliseconds)),
  };
}
