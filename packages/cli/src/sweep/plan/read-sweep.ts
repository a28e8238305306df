import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type * as z from 'zod';
import { configProblem } from '../../config/config-problem.js';
import { readConfigJson } from '../../config/read-config.js';
import { UsageError } from '../../words/failure.js';
import { commandNames, type Stage, stageFields, stageName, sweepFields } from './sweep-fields.js';

/** A sweep's file, checked, with its paths. */
export interface SweepFile extends Omit<z.output<typeof sweepFields>, 'name' | 'runs' | 'stages'> {
  name: string;
  /** As it was given. */
  file: string;
  /** The folder of the file, which all its paths are relative to. */
  root: string;
  /** Where the runs are kept. */
  runs: string;
  /** What the sweep itself leaves: configs, logs, scripts, tables. */
  folder: string;
  /** In the order of the file. */
  stages: ReadonlyMap<string, Stage>;
}

/** Reads a sweep's file. @param options `runs` stands above what the file says @throws UsageError that names the field */
export function readSweep(file: string, { runs }: { runs?: string } = {}): SweepFile {
  const json = readConfigJson(file);
  const fields = checked(sweepFields, json, (path) => `${file}: ${path || 'the sweep'}`);
  const name = fields.name ?? basename(file, '.json');
  if (!sweepFields.shape.name.safeParse(name).success)
    throw new UsageError(
      `${file}: its name '${name}' names no jobs; give a "name" of letters and digits in it.`,
    );
  const stages = new Map(
    Object.entries(fields.stages).map(([stage, given]) => [stage, readStage(file, stage, given)]),
  );
  if (stages.size === 0) throw new UsageError(`${file}: stages is {}; expected at least one stage in it.`);
  for (const [stage, { from }] of stages)
    if (from !== undefined && !stages.has(from))
      throw new UsageError(
        `${file}: stages.${stage}.from is '${from}'; expected another stage: ${[...stages.keys()].map((one) => `'${one}'`).join(', ')}.`,
      );
  // paths that go up from a link go up from where it leads
  const root = realpathSync(dirname(resolve(file)));
  const place = runs === undefined ? resolve(root, fields.runs) : resolve(runs);
  return { ...fields, name, file, root, runs: place, folder: join(place, `${name}.sweep`), stages };
}

function readStage(file: string, name: string, given: unknown): Stage {
  const place = `${file}: stages.${name}`;
  const wrong = stageName.safeParse(name).error?.issues[0]?.message;
  if (wrong) throw new UsageError(`${place}: a stage's name is ${wrong}.`);
  const { command } = (given ?? {}) as { command?: unknown };
  const known = commandNames.find((one) => one === command);
  if (!known)
    throw new UsageError(
      `${place}.command is ${JSON.stringify(command)?.slice(0, 60) ?? 'not given'}; expected ${commandNames.map((one) => `'${one}'`).join(' or ')}.`,
    );
  return checked<z.ZodType<Stage>>(stageFields[known], given, (path) => (path ? `${place}.${path}` : place));
}

/** @throws UsageError that says the first thing that is wrong */
export function checked<T extends z.ZodType>(
  schema: T,
  input: unknown,
  label: (path: string) => string,
): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new UsageError(configProblem(schema, result.error, input, label));
}
