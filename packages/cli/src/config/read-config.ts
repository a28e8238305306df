import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../words/failure.js';
import { configProblem } from './config-problem.js';
import { knownSet, knownSetNames } from './known-sets.js';
import { withNewNames } from './older-names.js';
import { paperNet, paperNetNames } from './paper-nets.js';
import { type RunConfig, runConfigSchema } from './run-config.js';
import { budgetMark, runFields } from './run-fields.js';

/** Flags that stand above the config file. */
export interface RunOverrides {
  name?: string;
  engine?: RunConfig['engine'];
  budget?: RunConfig['budget'];
  epochs?: number;
  seed?: number;
  replicas?: number;
  trainExamples?: number;
}

const flags: Record<string, [flag: string, override: keyof RunOverrides]> = {
  name: ['--name', 'name'],
  engine: ['--engine', 'engine'],
  'data.trainExamples': ['--train-examples', 'trainExamples'],
  'train.epochs': ['--epochs', 'epochs'],
  'train.seed': ['--seed', 'seed'],
  'train.replicas': ['--replicas', 'replicas'],
};

/** Reads a config file. @throws UsageError naming the file or flag, the field, what was expected and what was found */
export const readRunConfig = (file: string, overrides: RunOverrides = {}): RunConfig =>
  runConfigOf(readConfigJson(file), file, overrides);

/**
 * A config as a file has it, checked.
 *
 * @param file what its paths are relative to
 * @param place how messages call where it was given
 * @throws UsageError as {@link readRunConfig}
 */
export function runConfigOf(
  json: unknown,
  file: string,
  overrides: RunOverrides = {},
  place = file,
): RunConfig {
  const input = merge(withBudget(place, withNewNames(json), overrides.budget), overrides);
  const result = runConfigSchema.safeParse(input);
  if (!result.success) {
    const label = (path: string) => {
      const [flag, override] = flags[path] ?? [];
      return override && overrides[override] !== undefined ? `${flag}` : `${place}: ${path || 'the config'}`;
    };
    throw new UsageError(configProblem(runFields, result.error, input, label));
  }
  const { data, medium: _medium, short: _short, ...config } = result.data;
  const named = (name: string) =>
    `${name.replaceAll('{seed}', String(config.train.seed))}${budgetMark(config.budget)}`;
  return {
    ...config,
    name: named(config.name),
    model: pathOf([file, place], ['model', config.model], paperNet, paperNetNames, 'a model'),
    ...(config.from !== undefined && { from: named(config.from) }),
    data: {
      ...data,
      source: pathOf([file, place], ['data.source', data.source], knownSet, knownSetNames, 'data'),
      ...(data.folder && { folder: resolve(dirname(file), data.folder) }),
    },
  };
}

/** What is no name is a path, seen from the config file. */
function pathOf(
  [file, place]: readonly [file: string, place: string],
  [field, given]: readonly [field: string, given: string],
  known: (name: string) => object | undefined,
  names: readonly string[],
  what: string,
): string {
  if (known(given) || /^[a-z][a-z0-9+.-]+:\/\//i.test(given)) return given;
  const path = resolve(dirname(file), given);
  if (existsSync(path)) return path;
  throw new UsageError(
    `${place}: ${field} is ${JSON.stringify(given)}, and there is no such file or folder; expected ${names.map((name) => `'${name}'`).join(' or ')}, or the path of ${what}, relative to the config.`,
  );
}

/** What a config file says, unchecked. @throws UsageError where it cannot be read */
export function readConfigJson(file: string): unknown {
  try {
    // With the byte order mark that some editors begin with, it would not be JSON.
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''), (key, value) => {
      if (key !== '__proto__') return value;
      throw new UsageError(`${file} has a field '__proto__', which no config has; take it out.`);
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof RangeError)
      throw new UsageError(`${file} is nested deeper than any config is; correct it there.`);
    if (error instanceof SyntaxError)
      throw new UsageError(`${file} is not JSON: ${message}; correct it there.`);
    if (code === 'ENOENT')
      throw new UsageError(
        `${file}: there is no such file; give a config, such as experiments/mnist-lenet5/quickstart.json.`,
      );
    if (code === 'EISDIR') throw new UsageError(`${file} is a folder; give the config file in it.`);
    throw error;
  }
}

/** Lays the file's `short` or `medium` over the rest of it where that is the budget. */
function withBudget(file: string, config: unknown, budget: RunConfig['budget'] = 'full'): unknown {
  if (!isRecord(config) || budget === 'full') return config;
  const over = config[budget];
  if (!isRecord(over))
    throw new UsageError(
      `${file}: ${budget} is not given; expected an object that says what --budget ${budget} changes, such as { "train": { "epochs": 1 } }.`,
    );
  return { ...(lay(config, withNewNames(over)) as object), budget };
}

function lay(under: unknown, over: unknown): unknown {
  if (!isRecord(under) || !isRecord(over)) return over;
  const keys = Object.entries(over).map(([key, value]) => [key, lay(under[key], value)]);
  return { ...under, ...Object.fromEntries(keys) };
}

/** Lays the flags over what the file says; what is no object is left to the schema. */
function merge(file: unknown, overrides: RunOverrides): unknown {
  const { name, engine, trainExamples, epochs, seed, replicas } = overrides;
  if (!isRecord(file)) return file;
  const over = (part: unknown, values: object) => {
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
    const whole = part === undefined ? {} : part;
    return Object.keys(given).length > 0 && isRecord(whole) ? { ...whole, ...given } : part;
  };
  const merged = over(file, { name, engine }) as Record<string, unknown>;
  return {
    ...merged,
    data: over(merged.data, { trainExamples }),
    train: over(merged.train, { epochs, seed, replicas }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
