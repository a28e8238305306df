import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeAtomically } from '@sbp/train/checkpoint';
import { compressPaths } from '../compress/paths.js';
import type { CompressResult } from '../compress/report/result.js';
import { readJson } from '../run/run-folder.js';
import { sha256 } from '../run/seals.js';
import { plural } from '../words/words.js';
import type { SweepRun } from './plan/kind.js';
import { shortNames } from './plan/names.js';
import type { SweepFile } from './plan/read-sweep.js';

/** A page of more runs than these takes minutes to make, and nobody scrolls it. */
const PAGE = 100;

/**
 * Shows the tables of all runs that are done, and leaves them with their pictures and the report in the sweep's folder: of every network, data and budget one of its own.
 */
export async function leaveResults(
  { folder, runs: place }: SweepFile,
  runs: readonly SweepRun[],
  say: (line: string) => void,
): Promise<void> {
  const done = runs.filter((run) => run.isDone());
  if (done.length === 0) return;
  const file = join(folder, 'table.md');
  const before = tableOf(file, done);
  if (before !== undefined) return say(`\n${before}`);
  mkdirSync(folder, { recursive: true });
  const of = (command: SweepRun['command']) => done.filter((run) => run.command === command);
  const made = await Promise.all([trained(folder, of('train')), compressed(of('compress'))]);
  const tables = made.flatMap((one) => one.tables);
  const files = ['table.md', ...made.flatMap((one) => one.files)];
  writeAtomically(file, `${[...tables, mark(done)].join('\n\n')}\n`);
  say(`\n${tables.join('\n\n')}\n`);
  say(
    `${plural(done.length, 'run')} in ${relative('.', place) || '.'}; ${files.join(', ')} in ${relative('.', folder) || '.'}`,
  );
}

/** Says at a table's end of which runs it is. */
const mark = (runs: readonly SweepRun[]) =>
  `<!-- runs ${sha256(runs.map(({ name }) => name).join()).slice(0, 16)} -->`;

/** The table that is there, if it is of these runs as they ended. */
function tableOf(file: string, runs: readonly SweepRun[]): string | undefined {
  const made = statSync(file, { throwIfNoEntry: false });
  if (!made) return undefined;
  const isLater = ({ folder }: SweepRun) => statSync(join(folder, 'result.json')).mtimeMs > made.mtimeMs;
  const [text, end] = readFileSync(file, 'utf8').split(/\n\n(?=<!-- runs )/);
  return end?.trim() !== mark(runs) || runs.some(isLater) ? undefined : text;
}

interface Made {
  tables: string[];
  /** What was written beside them. */
  files: string[];
}

async function trained(folder: string, runs: readonly SweepRun[]): Promise<Made> {
  if (runs.length === 0) return { tables: [], files: [] };
  const { readResults } = await import('../results/results.js');
  const { comparable, memorizedChart, resultsChart, resultsTable } = await import(
    '../results/results-table.js'
  );
  const all = readResults(runs.map((run) => run.folder));
  const kinds = new Map<string, typeof all.results>();
  for (const result of all.results) {
    const kind = comparable(result.config);
    kinds.set(kind, [...(kinds.get(kind) ?? []), result]);
  }
  const files: string[] = [];
  for (const [i, results] of [...kinds.values()].entries()) {
    const isRandom = results[0]!.config.data.labels === 'random';
    const file = `${isRandom ? 'memorized' : 'error-against-macs'}${kinds.size > 1 ? `-${i + 1}` : ''}.svg`;
    writeAtomically(join(folder, file), isRandom ? memorizedChart(results) : resultsChart(results));
    files.push(file);
  }
  if (all.results.length <= PAGE) {
    const { reportPage } = await import('../results/report.js');
    writeAtomically(join(folder, 'report.html'), await reportPage(all));
    files.push('report.html');
  }
  return { tables: [...kinds.values()].map((results) => resultsTable(results)), files };
}

/** Of each stage, as its models and data may be its own. */
async function compressed(runs: readonly SweepRun[]): Promise<Made> {
  if (runs.length === 0) return { tables: [], files: [] };
  const { compressedTable } = await import('../results/compressed-table.js');
  const stages = [...new Set(runs.map(({ stage }) => stage))];
  const tables = stages.flatMap((stage) => {
    const own = runs
      .filter((run) => run.stage === stage)
      .map((run) => ({
        label: labelOf(run),
        result: readJson<CompressResult>(compressPaths(run.folder).result),
      }))
      // without data nothing was measured
      .filter(({ result }) => 'after' in result);
    return own.length === 0 ? [] : [compressedTable(own)];
  });
  return { tables, files: [] };
}

/** What is different among a stage's runs, but for seeds. */
function labelOf({ stage, assignment }: SweepRun): string {
  const parts = shortNames([...assignment.keys()]);
  const told = [...assignment].filter(([path]) => path !== 'train.seed');
  const words = told.map(([path, { value, text }]) =>
    typeof value === 'string' ? String(value) : `${parts.get(path)} ${text}`,
  );
  return words.join(' ') || stage;
}

/** The sweep for programs. */
export function outcomeJson(
  { name, runs, folder }: SweepFile,
  outcomes: ReadonlyMap<SweepRun, { state: string; seconds?: number; why?: string }>,
): object {
  return {
    sweep: name,
    folder,
    runsIn: runs,
    runs: [...outcomes].map(([run, { state, seconds, why }]) => ({
      name: run.name,
      stage: run.stage,
      state: state === 'was done' ? 'done' : state,
      ...(seconds !== undefined && { seconds }),
      ...(why !== undefined && { why }),
      values: Object.fromEntries([...run.assignment].map(([path, { value }]) => [path, value])),
      ...(run.from && { from: run.from.name }),
      folder: run.folder,
      log: run.log,
    })),
  };
}
