import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type * as z from 'zod';
import { addCompress } from '../../commands/compress.js';
import { parseCriterion } from '../../compress/criterion.js';
import { compressPaths } from '../../compress/paths.js';
import { type CompressSettings, resultThere } from '../../compress/settings.js';
import { parseTarget } from '../../compress/targets/targets.js';
import { UsageError } from '../../words/failure.js';
import type { Asked, Planned } from './kind.js';
import type { stageFields } from './sweep-fields.js';

type CompressStage = z.output<typeof stageFields.compress>;

/** Options whose values are paths, where there is such a file. */
const paths = new Set(['data', 'classes']);

/** A run of `sbp compress`. */
export function planCompress({ sweep, place, name, values, from }: Asked<CompressStage>): Planned {
  const given = new Map(values);
  for (const own of ['out', 'json'])
    if (given.has(own)) throw new UsageError(`${place}.values.${own}: left out: the sweep gives it.`);
  const model = modelOf(given.get('model'), { sweep, place, from });
  given.delete('model');
  if (!given.has('replicas') && sweep.cores > 0 && (sweep.cores === 1 || given.get('engine') === 'wasm'))
    given.set('replicas', sweep.cores);
  const out = compressPaths(join(sweep.runs, name));
  const args = (at: (path: string) => string) => [
    ...['compress', isAddress(model) ? model : at(model), '--out', at(out.folder)],
    ...[...given].flatMap(([option, value]) =>
      flag(option, value, `${place}.values.${option}`, (text) => {
        const path = resolve(sweep.root, text);
        return paths.has(option) && existsSync(path) ? at(path) : text;
      }),
    ),
  ];
  const settings = settingsOf(
    args((path) => path),
    place,
  );
  return {
    folder: out.folder,
    args,
    model: out.model,
    onTensorflow: settings.engine === 'auto' || settings.engine === 'tensorflow',
    isDone: () => resultThere(out, settings, () => {}).isDone,
  };
}

const isAddress = (model: string) => /^[a-z][a-z0-9+.-]+:\/\//i.test(model);

function modelOf(given: unknown, { sweep, place, from }: Pick<Asked, 'sweep' | 'place' | 'from'>): string {
  if (from) {
    if (given === undefined) return from.model;
    throw new UsageError(`${place}.values.model: left out: its runs start from those of ${from.stage}.`);
  }
  if (typeof given !== 'string')
    throw new UsageError(
      `${place}.values.model is ${JSON.stringify(given) ?? 'not given'}; expected the path of a model, or "from": the stage that makes it.`,
    );
  const path = isAddress(given) ? given : resolve(sweep.root, given);
  if (isAddress(given) || existsSync(path)) return path;
  throw new UsageError(
    `${place}.values.model is '${given}', and there is no such file or folder; expected the path of a model, relative to the sweep's file.`,
  );
}

/** An option as the command line has it; false is left out, but of those that are there unless they are told not to. */
function flag(option: string, value: unknown, label: string, path: (text: string) => string): string[] {
  if (!/^[a-z][a-z-]*$/.test(option))
    throw new UsageError(
      `${label}: there is no such option of sbp compress; sbp compress --help shows what there is.`,
    );
  if (value === true) return option === 'distill' ? [] : [`--${option}`];
  if (value === false) return option === 'distill' ? ['--no-distill'] : [];
  if (typeof value === 'number' || typeof value === 'string') return [`--${option}`, path(String(value))];
  throw new UsageError(
    `${label} is ${JSON.stringify(value)?.slice(0, 60)}; expected text, a number, true or false, or a list of them.`,
  );
}

/** What the command itself takes them for. @throws UsageError in its words */
function settingsOf(args: readonly string[], place: string): CompressSettings {
  const program = new Command().exitOverride().configureOutput({ outputError: () => {} });
  addCompress(program);
  const [compress] = program.commands;
  let settings: CompressSettings | undefined;
  compress!.action((model: string, { target, criterion, ...options }) => {
    settings = { model, ...options, target: parseTarget(target), criterion: parseCriterion(criterion) };
  });
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    throw new UsageError(
      `${place}: ${(error as Error).message.replaceAll(/^error: |\.$/g, '').replaceAll(/\s*\n\s*/g, ' ')}; sbp compress --help shows what there is.`,
    );
  }
  return settings!;
}
