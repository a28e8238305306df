import { ModelError } from '../../errors.js';
import { readHdf5, readKerasArchive } from '../../keras/index.js';
import type { ModelFile } from '../model-file.js';
import type { Format } from '../sources/formats.js';
import type { ArchiveAnswer, ArchiveAsk } from './archive-thread.js';

/** Milliseconds that one step within a file may take, and bytes a millisecond of a large one: hundreds of times what they do take. */
const [patience, speed] = [2000, 20_000];

/** The little that Node's worker threads and browsers' workers have in common, once the differences are dealt with. */
interface Thread {
  post(ask: ArchiveAsk, transfer: ArrayBuffer[]): void;
  listen(answer: (answer: ArchiveAnswer) => void, failed: (error: unknown) => void): void;
  end(): void;
}

/**
 * What a `.keras` or `.h5` file holds. It is read in a thread of its own where there are threads: damaged links within such a file keep the
 * library that reads HDF5 busy for ever, and nothing but the end of its thread stops it.
 *
 * @param bytes not to be used again
 * @throws ModelError in terms of the file, without its name
 */
export async function readArchive(
  format: Exclude<Format, 'json'>,
  bytes: Uint8Array,
  origin: string,
): Promise<ModelFile> {
  const thread = await startThread();
  if (!thread) return (format === 'hdf5' ? readHdf5 : readKerasArchive)(bytes, origin);
  const watch = watchFor(patience + bytes.length / speed);
  try {
    const answer = await new Promise<ArchiveAnswer>((resolve, reject) => {
      thread.listen((answer) => ('step' in answer ? watch.step() : resolve(answer)), reject);
      watch.onEnd(() => reject(new ModelError('is a damaged HDF5 file; save the model again')));
      thread.post({ format, bytes, origin }, [bytes.buffer as ArrayBuffer]);
    });
    if ('file' in answer) return answer.file;
    if ('refused' in answer) throw new ModelError(answer.refused, answer.layer);
    const why = 'failed' in answer ? answer.failed : 'its thread lost its way';
    throw new ModelError(`is a damaged file, or one of a kind that is not known: ${why}`);
  } finally {
    watch.stop();
    thread.end();
  }
}

/**
 * Ends what has made no step for a while, or goes in circles. Where the process says how long it has computed, that is what counts: on a
 * machine with much else to do, seconds pass without much having been done.
 *
 * @param limit milliseconds
 */
function watchFor(limit: number) {
  const now = () => {
    const { user, system } = globalThis.process?.cpuUsage?.() ?? { user: 0, system: 0 };
    return { passed: performance.now(), computed: (user + system) / 1000 };
  };
  const first = now();
  let last = first;
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    step: () => {
      last = now();
    },
    onEnd: (end: () => void) => {
      timer = setInterval(() => {
        const { passed, computed } = now();
        const still = passed - last.passed;
        const isBusy = computed - last.computed > limit / 2;
        const isEndless = computed - first.computed > 2 * limit && passed - first.passed > 2 * limit;
        // Browsers don't say how long they have computed.
        if ((still > limit && isBusy) || still > 10 * limit || isEndless) end();
      }, 100);
    },
    stop: () => clearInterval(timer),
  };
}

/** A thread that is ready to read, or undefined where none can be had: nothing but model.json needs one. */
async function startThread(): Promise<Thread | undefined> {
  let thread: Thread | undefined;
  try {
    thread = nodeThread() ?? browserThread();
    const ready = thread && (await firstAnswer(thread));
    if (ready && 'ready' in ready) return thread;
  } catch {
    // A bundler that left the thread's program out, or a page that forbids workers.
  }
  thread?.end();
  return undefined;
}

function firstAnswer(thread: Thread): Promise<ArchiveAnswer> {
  return new Promise((resolve, reject) => thread.listen(resolve, reject));
}

function nodeThread(): Thread | undefined {
  // Not by an import, which browsers and their bundlers would fail at.
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  if (!node) return undefined;
  // Flags of the program's own, such as --input-type, are not for it.
  const worker = new node.Worker(new URL('./archive-thread.js', import.meta.url), { execArgv: [] });
  return {
    post: (ask, transfer) => worker.postMessage(ask, transfer),
    listen: (answer, failed) => {
      worker.removeAllListeners();
      worker.on('message', answer);
      worker.on('error', failed);
      worker.on('exit', (code) =>
        failed(new ModelError(`can't be read: its thread ended with code ${code}`)),
      );
    },
    end: () => {
      worker.removeAllListeners();
      void worker.terminate();
    },
  };
}

/** What is needed of a browser's `Worker`. */
interface WebWorker {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): void;
  onmessage: ((event: { data: ArchiveAnswer }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
}

declare const Worker: undefined | (new (url: URL, options: { type: 'module' }) => WebWorker);

function browserThread(): Thread | undefined {
  if (typeof Worker === 'undefined') return undefined;
  // Word for word what bundlers look for.
  const worker = new Worker(new URL('./archive-thread.js', import.meta.url), { type: 'module' });
  return {
    post: (ask, transfer) => worker.postMessage(ask, transfer),
    listen: (answer, failed) => {
      worker.onmessage = ({ data }) => answer(data);
      worker.onerror = ({ message }) => failed(new ModelError(`can't be read: ${message}`));
    },
    end: () => worker.terminate(),
  };
}
