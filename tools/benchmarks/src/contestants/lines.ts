import { createInterface } from 'node:readline';

/** What the benchmark asks of a contestant, a line of JSON each; the peers in Python know the first four. */
export type Request =
  /** Get a job ready. */
  | { do: 'open'; job: string; seconds: number }
  /** Take {@link CHECKED_STEPS} on the first batch from the job's weights, to show that it is the same job. */
  | { do: 'check' }
  /** Take training steps for about so long. */
  | { do: 'run'; seconds: number }
  | { do: 'close' }
  /** Take steps until there were so many in this job (in fifties), and say what memory is in use. */
  | { do: 'memory'; steps: number };

/** Steps on one batch, whose examples have no order that could differ; the peers' job.py has the same number. */
export const CHECKED_STEPS = 8;

export interface Opened {
  /** Trainable parameters. */
  parameters: number;
  version: string;
  /** What it chose, such as a number of threads. */
  setting?: string;
}

/** Objective per example, KL and all. */
export interface Checked {
  /** At the job's weights. */
  first: number;
  /** At the last of the steps. */
  last: number;
}

export interface Ran {
  images: number;
  seconds: number;
}

export interface MemoryUse {
  /** Tensors alive. */
  tensors: number;
  /** Bytes. */
  resident: number;
}

/** What each request is answered with. */
export interface Answers {
  open: Opened;
  check: Checked;
  run: Ran;
  close: object;
  memory: MemoryUse;
}

/** Answers requests on standard input until it ends; an error is answered as `{ error }`. */
export async function answerLines(handle: (request: Request) => Promise<object>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await handle(JSON.parse(line) as Request).catch((error: Error) => ({
      error: `${error.name}: ${error.message}`,
    }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}
