/** What a process that is asked to end ends with: as a shell says of one that did, and 75, "try again", for a queue that is to start it anew. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGUSR1: 75 } as const;

type Signal = keyof typeof codes;
const signals = Object.keys(codes) as Signal[];

/** Something that a signal has to end in its own way. */
interface Work {
  /** Has it end soon. */
  stop(): void;
  /** What is said then. */
  last(): string;
}

/** Milliseconds until what does not end by itself is ended: queues kill what is still there after some seconds. */
const PATIENCE = 4000;

/** The signal that has come. */
let asked: Signal | undefined;
let work: Work | undefined;

function handle(signal: Signal): void {
  if (state === 'over') process.exit(codes[signal]);
  // whoever asks again means at once
  if (asked !== undefined || !work) end(signal);
  asked = signal;
  work.stop();
  setTimeout(() => end(signal), PATIENCE).unref();
}

function end(signal: Signal): never {
  const line = work?.last() ?? 'Stopped; what is done stays, and the same command goes on.';
  process.stderr.write(`\n${line}\n`);
  process.exit(codes[signal]);
}

/** Whether what signals are heeded for is under way, or over, when nothing is left to stop. */
let state: 'none' | 'under way' | 'over' = 'none';

/**
 * Does something that resumes, in a process that signals end without losing any of it: what is written is written whole, so that outside of a training it can end anywhere, up to the last moment of the process.
 */
export async function interruptible<T>(body: () => Promise<T>): Promise<T> {
  if (state === 'none') for (const signal of signals) process.on(signal, handle);
  state = 'under way';
  try {
    const result = await body();
    // one that has come while the event loop stood still
    await new Promise((resolve) => setImmediate(resolve));
    return result;
  } finally {
    state = 'over';
  }
}

/** Does what a signal has to end in its own way, and ends the process behind it if one has come. */
export async function ending<T>(own: Work, body: () => Promise<T>): Promise<T> {
  work = own;
  try {
    return await body();
  } finally {
    if (asked) end(asked);
    work = undefined;
  }
}
