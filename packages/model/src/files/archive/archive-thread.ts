// The program of the thread that reads `.keras` and `.h5` files, in Node and in browsers.
import { ModelError } from '../../errors.js';
import { readHdf5 } from '../../keras/files/read-hdf5.js';
import { readKerasArchive } from '../../keras/files/read-keras-archive.js';
import type { ModelFile } from '../model-file.js';

/** What the thread is asked, once. */
export interface ArchiveAsk {
  format: 'keras' | 'hdf5';
  bytes: Uint8Array;
  origin: string;
}

/** What it says: first that it is ready, then that it goes on, at last what came of it. */
export type ArchiveAnswer =
  | { ready: true }
  | { step: true }
  | { file: ModelFile }
  | { refused: string; layer?: string }
  | { failed: string };

interface Port {
  post(answer: ArchiveAnswer, transfer?: ArrayBuffer[]): void;
  listen(read: (ask: ArchiveAsk) => void): void;
}

declare const self: {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  onmessage: ((event: { data: ArchiveAsk }) => void) | null;
};

function port(): Port {
  const parent = globalThis.process?.getBuiltinModule?.('node:worker_threads').parentPort;
  if (parent)
    return {
      post: (answer, transfer = []) => parent.postMessage(answer, transfer),
      listen: (read) => parent.on('message', read),
    };
  return {
    post: (answer, transfer = []) => self.postMessage(answer, transfer),
    listen: (read) => {
      self.onmessage = ({ data }) => read(data);
    },
  };
}

async function answerTo({ format, bytes, origin }: ArchiveAsk): Promise<ArchiveAnswer> {
  try {
    return { file: await (format === 'hdf5' ? readHdf5 : readKerasArchive)(bytes, origin) };
  } catch (error) {
    if (error instanceof ModelError) return { refused: error.message, layer: error.layer };
    return { failed: String(error) };
  }
}

/** Weights with memory of their own move to the other thread instead of being copied. */
function buffersOf(answer: ArchiveAnswer): ArrayBuffer[] {
  if (!('file' in answer)) return [];
  const own = answer.file.weights.filter(({ data }) => data.byteLength === data.buffer.byteLength);
  return [...new Set(own.map(({ data }) => data.buffer as ArrayBuffer))];
}

declare const WebAssembly: { Memory: { prototype: { buffer: ArrayBuffer; grow(pages: number): number } } };

/** What the library takes for itself, with room for small files. */
const ownMemory = 64e6;
const pageSize = 65_536;

/** Loops within a damaged file may take memory with each turn; where there is no more, the library ends by itself. */
function limitMemory(fileSize: number): void {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * pageSize > ownMemory + 10 * fileSize)
      throw new RangeError('more memory than such a file needs');
    return grow.call(this, pages);
  };
}

const { post, listen } = port();
listen(async (ask) => {
  limitMemory(ask.bytes.length);
  const answer = await answerTo(ask);
  post(answer, buffersOf(answer));
});
// What takes a moment to begin, and isn't the file's fault.
const [{ Group, ready }] = await Promise.all([import('h5wasm'), import('fflate')]);
await ready;
let told = 0;
const prototype = Group.prototype as unknown as Record<'get' | 'keys', (...args: unknown[]) => unknown>;
for (const name of ['get', 'keys'] as const) {
  const own = prototype[name];
  prototype[name] = function (...args) {
    if (performance.now() - told > 100) {
      told = performance.now();
      post({ step: true });
    }
    return own.apply(this, args);
  };
}
post({ ready: true });
