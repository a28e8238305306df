import { dirname, join, relative, resolve } from 'node:path';
import type * as z from 'zod';
import { knownSet } from '../../config/known-sets.js';
import { withNewNames } from '../../config/older-names.js';
import { paperNet } from '../../config/paper-nets.js';
import { readConfigJson, runConfigOf } from '../../config/read-config.js';
import type { RunConfig } from '../../config/run-config.js';
import { methodTitles } from '../../config/titles.js';
import { checkRunFolder, runPaths } from '../../run/run-folder.js';
import { isFinished } from '../../run/train-run.js';
import { UsageError } from '../../words/failure.js';
import type { Asked, Planned } from './kind.js';
import { type Assignment, shortNames } from './names.js';
import type { SweepFile } from './read-sweep.js';
import type { stageFields } from './sweep-fields.js';

type TrainStage = z.output<typeof stageFields.train>;
type Fields = Record<string, unknown>;

/** A run of `sbp train`, whose config is written with all of its values. */
export function planTrain({
  sweep,
  stage,
  place,
  name,
  values,
  assignment,
  from,
}: Asked<TrainStage>): Planned {
  if (from && from.command !== 'train')
    throw new UsageError(
      `${place}.from is a stage of ${from.command}, and sbp train starts from runs of train; give its model/model.json as "model" in another sweep.`,
    );
  const { json, file } = baseConfig(sweep, stage);
  const withValues = values.reduce(
    (under, [path, value]) =>
      setAt(under, path.split('.'), placed(sweep, path, value), `${place}.values.${path}`),
    json,
  );
  const { short: _short, medium: _medium, ...own } = withValues;
  const input: Fields = { ...own, name, ...(from && { from: from.name }) };
  const asked = runConfigOf(input, file, {}, place);
  const title = titleOf(asked, assignment, place);
  const replicas = replicasOf(asked, sweep);
  const path = join(sweep.folder, 'configs', `${name}.json`);
  const written = {
    ...seenFrom(dirname(path), input, asked),
    ...(title !== undefined && { title }),
    ...(replicas !== 0 && { train: { ...(input.train as Fields | undefined), replicas } }),
  };
  const config = { ...asked, train: { ...asked.train, replicas } };
  const paths = runPaths(join(sweep.runs, name));
  return {
    folder: paths.folder,
    args: (at) => ['train', at(path), '--runs', at(sweep.runs)],
    file: { path, text: `${JSON.stringify(written, undefined, 2)}\n` },
    model: config.method === 'original' ? paths.trained : config.fineTune ? paths.tuned : paths.pruned,
    ...(!from && config.from !== undefined && { startsFrom: config.from }),
    onTensorflow: config.engine === 'auto' || config.engine === 'tensorflow',
    isDone: () => !checkRunFolder(paths, config) && isFinished(paths),
  };
}

/** What a stage's values are laid over; where its paths are relative to. */
function baseConfig(sweep: SweepFile, { config }: TrainStage): { json: Fields; file: string } {
  if (typeof config !== 'string')
    return { json: withNewNames(config) as Fields, file: join(sweep.root, 'sweep') };
  const file = resolve(sweep.root, config);
  const json = withNewNames(readConfigJson(file));
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UsageError(`${file}: the config is no object; expected { … }.`);
  return { json: json as Fields, file };
}

/** A config with a field set, and those around it where they are not there. */
function setAt(under: Fields, [key, ...rest]: string[], value: unknown, label: string): Fields {
  if (rest.length === 0) return { ...under, [key!]: value };
  const inner = Object.hasOwn(under, key!) ? under[key!] : {};
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner))
    throw new UsageError(
      `${label}: ${key} is ${JSON.stringify(inner)} in the config; expected an object { … } to set ${rest.join('.')} in.`,
    );
  return { ...under, [key!]: setAt(inner as Fields, rest, value, label) };
}

/** Paths among the values are relative to the sweep's file, wherever the config lies. */
function placed({ root }: SweepFile, path: string, value: unknown): unknown {
  const known = { model: paperNet, 'data.source': knownSet, 'data.folder': () => undefined }[path];
  if (!known || typeof value !== 'string' || known(value) || /^[a-z][a-z0-9+.-]+:\/\//i.test(value))
    return value;
  return resolve(root, value);
}

/** The same paths, relative to the folder that the config is written to: all may move together. */
function seenFrom(folder: string, json: Fields, { model, data }: RunConfig): Fields {
  const seen = (path: string) => relative(folder, path);
  const own = (json.data ?? {}) as Fields;
  const isPath = (value: unknown) => typeof value === 'string' && resolve(value) === value;
  return {
    ...json,
    ...(isPath(model) && { model: seen(model) }),
    ...(Object.keys(own).length > 0 && {
      data: {
        ...own,
        ...(isPath(data.source) && { source: seen(data.source) }),
        ...(data.folder !== undefined && { folder: seen(data.folder) }),
      },
    }),
  };
}

/** As many as the run has cores, where its config says none: the same bits wherever it runs. TensorFlow has threads of its own. */
function replicasOf({ train, engine }: RunConfig, { cores }: SweepFile): number {
  return train.replicas === 0 && (cores === 1 || engine === 'wasm') ? cores : train.replicas;
}

/** Runs that differ in more than their seed have rows of their own in tables. */
function titleOf({ title, method }: RunConfig, assignment: Assignment, place: string): string | undefined {
  const parts = shortNames([...assignment.keys()]);
  const told = [...assignment].filter(([path]) => path !== 'train.seed' && path !== 'method');
  if (told.length === 0) return title;
  const words = told.map(([path, { value, text }]) =>
    typeof value === 'string' ? text : `${parts.get(path)} ${text}`,
  );
  const whole = [title ?? methodTitles[method], ...words].join(' ');
  if (whole.length <= 80) return whole;
  throw new UsageError(
    `${place}: a run would have the title '${whole.slice(0, 60)}…' of ${whole.length} characters in tables; expected at most 80: give its config a shorter "title", or let less vary.`,
  );
}
