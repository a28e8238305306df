import { type ChildProcess, fork } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diceOf } from './dice.js';
import { mutations } from './mutate.js';
import type { Answer, Ask } from './protocol.js';

export interface Options {
  /** Mutations `from` to `from + count − 1` of the seed. */
  seed: number;
  from: number;
  count: number;
  /** Folders of sound models. */
  models: readonly string[];
  /** Told how far it is. */
  say?: (done: number) => void;
}

/** One mutation and what came of it. */
export interface Result {
  mutation: number;
  /** What was done, and to which model. */
  kind: string;
  model: string;
  refused?: string;
  faults: string[];
  milliseconds: number;
}

/** Milliseconds. What hangs, hangs longer; what a mutation computes is measured where it is opened, as machines are busy with other things, too. */
const limit = 60_000;

/** Damages models and opens them in a process of its own, which is stopped and begun anew where it hangs or crashes. */
export async function fuzz({ seed, from, count, models, say }: Options): Promise<Result[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'sbp-fuzz-'));
  const secret = join(scratch, 'secret.bin');
  await writeFile(secret, Buffer.alloc(4096, 7));
  const kinds = Object.keys(mutations);
  const results: Result[] = [];
  const opener = new Opener();
  try {
    for (let mutation = from; mutation < from + count; mutation++) {
      const dice = diceOf(seed, mutation);
      const model = dice.pick(models);
      const kind = dice.pick(kinds);
      const folder = join(scratch, `m${mutation}`);
      await copy(model, folder);
      await mutations[kind]!(folder, dice, secret);
      const answer = await opener.open({ folder, bytes: await bytesIn(folder) });
      results.push({ mutation, kind, model: basename(model), ...answer });
      await rm(folder, { recursive: true, force: true });
      say?.(results.length);
    }
  } finally {
    opener.stop();
    await rm(scratch, { recursive: true, force: true });
  }
  return results;
}

/** Only what the model is made of: inputs and outputs for tests lie beside some. */
async function copy(model: string, folder: string): Promise<void> {
  await mkdir(folder);
  for (const name of await readdir(model))
    if (/^model\.json$|\.(bin|keras|h5)$/.test(name)) await cp(join(model, name), join(folder, name));
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats?.isFile()) bytes += stats.size;
  }
  return bytes;
}

class Opener {
  private child: Promise<ChildProcess> | undefined;

  async open(ask: Ask): Promise<Answer> {
    this.child ??= started();
    const child = await this.child;
    return new Promise((resolve) => {
      const end = (answer: Answer) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(answer);
      };
      const fault = (text: string) => {
        this.child = undefined;
        child.kill('SIGKILL');
        end({ faults: [text], milliseconds: limit });
      };
      const timer = setTimeout(() => fault('hangs'), limit);
      child.on('message', (answer) => end(answer as Answer));
      child.on('exit', (code, signal) => fault(`the process ended, ${signal ?? code}`));
      child.send(ask);
    });
  }

  stop(): void {
    this.child?.then((child) => child.kill());
  }
}

function started(): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('../dist/opener.js', import.meta.url));
  const child = fork(program, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--max-old-space-size=1000'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`the opener ended before it began, ${code}`)));
  });
}
