import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Absent, Contestant } from './contestants/contestant.js';
import type { Opened } from './contestants/lines.js';
import { installPeer, peers } from './peers/install.js';

/** Everyone that can take part. */
export const entrants = [
  'ours-tensorflow',
  'ours-wasm-1',
  'ours-wasm-n',
  'naive-wasm',
  'naive-tfjs-node',
  'pytorch',
  'tensorflow',
  'products',
  'bound',
  'noise-products-tensorflow',
  'noise-products-wasm',
] as const;
export type Entrant = (typeof entrants)[number];

export const cores = availableParallelism();

export const titles: Record<Entrant, string> = {
  'ours-tensorflow': 'ours, tensorflow',
  'ours-wasm-1': 'ours, wasm, 1 replica',
  'ours-wasm-n': `ours, wasm, ${cores} replicas`,
  'naive-wasm': 'tfjs-wasm, naively composed kernels, 1 thread',
  'naive-tfjs-node': 'tfjs-node, naive layer, model.fit',
  pytorch: 'PyTorch eager',
  tensorflow: 'TensorFlow Python, graph',
  products: "bound: the step's convolutions and matrix products by TensorFlow, nothing else",
  bound: 'bound: all products at the speed of one of 2048³',
  'noise-products-tensorflow': 'bound: θ multiplied in and its gradient summed by TensorFlow, nothing else',
  'noise-products-wasm': 'the same on wasm',
};

// built, also for the tests, which run the sources
const program = (file: string) => fileURLToPath(new URL(`../dist/contestants/${file}`, import.meta.url));
const node = (file: string, ...args: string[]) => [process.execPath, '--expose-gc', program(file), ...args];

/** Its command; a peer is installed first. @throws Absent where it cannot be */
async function commandOf(entrant: Entrant, say: (line: string) => void): Promise<string[]> {
  switch (entrant) {
    case 'ours-tensorflow':
      return node('ours.js', 'tensorflow', '1');
    case 'ours-wasm-1':
      return node('ours.js', 'wasm', '1');
    case 'ours-wasm-n':
      return node('ours.js', 'wasm', String(cores));
    case 'naive-wasm':
      return node('ours.js', 'naive-wasm', '1');
    case 'naive-tfjs-node':
      return node('naive-tfjs.js');
    case 'products':
      return node('products.js', 'own', 'tensorflow');
    case 'bound':
      return node('products.js', 'large', 'tensorflow');
    case 'noise-products-tensorflow':
      return node('products.js', 'noise', 'tensorflow');
    case 'noise-products-wasm':
      return node('products.js', 'noise', 'wasm');
    default:
      return installPeer(peers()[entrant], say);
  }
}

// As the engine sets it: on some processors TensorFlow leaves oneDNN off, which halves its speed there.
const quiet = {
  PYTHONDONTWRITEBYTECODE: '1',
  TF_CPP_MIN_LOG_LEVEL: '2',
  TF_ENABLE_ONEDNN_OPTS: process.env.TF_ENABLE_ONEDNN_OPTS ?? '1',
};

/** Programs that run, one for each entrant and number, started when they are first needed. */
export class Field {
  private readonly running = new Map<string, Contestant>();
  private readonly absent = new Map<Entrant, string>();
  readonly versions: Partial<Record<Entrant, string>> = {};

  constructor(private readonly say: (line: string) => void) {}

  /** Opens a job. @throws Absent */
  async open(entrant: Entrant, job: string, seconds: number, number = 0): Promise<[Contestant, Opened]> {
    const reason = this.absent.get(entrant);
    if (reason !== undefined) throw new Absent(reason);
    const key = `${entrant} ${number}`;
    try {
      const contestant = this.running.get(key) ?? new Contestant(await commandOf(entrant, this.say), quiet);
      this.running.set(key, contestant);
      const opened = await contestant.ask({ do: 'open', job, seconds });
      this.versions[entrant] = opened.version;
      return [contestant, opened];
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      this.stop(key);
      this.absent.set(entrant, error.message);
      throw error;
    }
  }

  private stop(key: string): void {
    this.running.get(key)?.stop();
    this.running.delete(key);
  }

  /** Ends them all: their memory and threads are the next table's. */
  clear(): void {
    for (const key of [...this.running.keys()]) this.stop(key);
  }
}
