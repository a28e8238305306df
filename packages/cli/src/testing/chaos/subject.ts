import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../run/seals.js';
import { fewDigits } from '../few-digits.js';
import { type Ended, type Started, spawned, start } from '../process.js';

/** A command that is harmed, and what it comes to when nobody does. */
export interface Subject {
  name: 'train' | 'compress';
  /** Where its runs, the configs and the data lie. */
  home: string;
  /** What it is called with to run in a folder. */
  args(folder: string): string[];
  /** Of what it leaves, those files that come out the same each time. */
  same: readonly string[];
  /** The folder of a run that nobody harmed, and the seconds that it took. */
  whole: string;
  seconds: number;
}

const config = {
  ...{ name: 'run', model: 'lenet-fc', data: { source: 'digits', normalize: '0..1' } },
  noise: { klScale: 2, logSigmaInit: -2, threshold: 1.7 },
  train: { epochs: 1, batchSize: 10, noiseRate: 30, replicas: 1 },
  fineTune: { epochs: 1, batchSize: 10 },
  ...{ engine: 'wasm', bench: { repeats: 1 } },
};

const weights = (...models: string[]) =>
  models.flatMap((model) => ['model.json', 'weights.bin'].map((file) => join(model, file)));

/** Makes the subjects, and runs each once. */
export async function makeSubjects(home: string): Promise<Subject[]> {
  mkdirSync(home, { recursive: true });
  await fewDigits(join(home, 'digits'));
  writeFileSync(join(home, 'run.json'), JSON.stringify(config));
  const train = await subject(home, {
    name: 'train',
    args: (folder) => ['train', 'run.json', '--runs', folder],
    same: weights('trained', 'noisy', 'pruned', 'tuned').map((file) => join('run', file)),
  });
  // of a run that nothing seals, so that it stays what it is
  cpSync(join(train.whole, 'run', 'tuned'), join(home, 'model'), { recursive: true });
  const compress = await subject(home, {
    name: 'compress',
    args: (folder) => [
      ...['compress', 'model', '--data', 'digits', '--normalize', '0..1', '--target', 'macs=0.5'],
      ...['--epochs', '1', '--fine-tune', '1', '--batch-size', '10', '--engine', 'wasm', '--replicas', '1'],
      ...['--out', folder],
    ],
    same: weights('model', join('work', 'noise'), join('work', 'cut')),
  });
  return [train, compress];
}

async function subject(home: string, own: Pick<Subject, 'name' | 'args' | 'same'>): Promise<Subject> {
  const made: Subject = { ...own, home, whole: join(home, `${own.name}-whole`), seconds: 0 };
  const began = performance.now();
  const ended = await spawned(home, ...own.args(made.whole));
  if (ended.code !== 0) throw new Error(`sbp ${own.name} fails unharmed: ${ended.stderr}`);
  return { ...made, seconds: (performance.now() - began) / 1000 };
}

export const begin = ({ home, args }: Subject, folder: string, env?: NodeJS.ProcessEnv): Started =>
  start(home, args(folder), env);

/** Runs the command in a folder to its end. @returns why that is not what it comes to unharmed; undefined where it is */
export async function finish(subject: Subject, folder: string): Promise<string | undefined> {
  return whyNot(subject, folder, await begin(subject, folder).ended);
}

/** Why an end is not the right one. */
export function whyNot(
  { same, whole }: Subject,
  folder: string,
  { code, stderr }: Ended,
): string | undefined {
  if (code !== 0) return `ended with ${code}: ${lastLine(stderr)}`;
  if (stderr !== '') return `said on standard error: ${lastLine(stderr)}`;
  for (const file of same) {
    if (!existsSync(join(folder, file))) return `left no ${file}`;
    if (hashOf(join(folder, file)) !== hashOf(join(whole, file))) return `left another ${file}`;
  }
  return undefined;
}

export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Whether it ended as a command does that says what is wrong. */
export const saysWhy = ({ code, stderr }: Ended, what: RegExp): boolean =>
  (code === 1 || code === 2) &&
  /^sbp: [^\n]+\n$/.test(stderr) &&
  what.test(stderr) &&
  !/internal error/.test(stderr);

/** All files of a folder. */
export const filesIn = (at: string): string[] =>
  statSync(at).isDirectory() ? readdirSync(at).flatMap((name) => filesIn(join(at, name))) : [at];

const hashOf = (file: string) => sha256(readFileSync(file));
