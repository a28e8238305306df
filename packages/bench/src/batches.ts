import { BenchError } from './errors.js';
import { type Timing, type TimingOptions, timeSideBySide, type Work } from './interleave.js';

export interface BatchTimingOptions extends TimingOptions {
  /** Examples in a call; each size is timed on its own. Default [1, 100]. */
  batchSizes?: readonly number[];
}

export interface ModelTiming extends Timing {
  /** What ran it: a tfjs backend, such as 'wasm', or 'onnxruntime'. */
  engine: string;
  batchSize: number;
  /** Examples in a second, from the median time. */
  examplesPerSecond: number;
}

/**
 * Times named entries side by side, one batch size after the other.
 *
 * @param caller the function whose entries these are, for its errors
 * @param workAt makes the entries' work at a batch size, in their order; `dispose` is called once it is over
 * @returns a row for each batch size and entry, in that order
 */
export async function timeBatches(
  caller: string,
  entries: readonly { readonly name: string }[],
  options: BatchTimingOptions & { engine: string },
  workAt: (batchSize: number) => { work: readonly Work[]; dispose?: () => void },
): Promise<ModelTiming[]> {
  const { batchSizes = [1, 100], engine, ...timing } = options;
  checkEntries(caller, entries);
  for (const size of batchSizes) {
    if (!Number.isInteger(size) || size < 1) {
      throw new BenchError(`batchSizes holds ${size}; give whole numbers of at least 1`);
    }
  }
  const rows: ModelTiming[] = [];
  for (const batchSize of batchSizes) {
    const { work, dispose } = workAt(batchSize);
    try {
      // Keyed by position: an object would move names that look like whole numbers to the front.
      for (const row of await timeSideBySide(Object.fromEntries(work.entries()), timing)) {
        rows.push({
          ...row,
          name: entries[Number(row.name)]!.name,
          engine,
          batchSize,
          examplesPerSecond: (1000 * batchSize) / row.milliseconds.median,
        });
      }
    } finally {
      dispose?.();
    }
  }
  return rows;
}

/** @throws BenchError if there are no entries, or two share a name */
export function checkEntries(caller: string, entries: readonly { readonly name: string }[]): void {
  if (entries.length === 0) {
    throw new BenchError(`${caller}: no entries were given; pass at least one`);
  }
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name))
      throw new BenchError(`${caller}: two entries are named '${name}'; give each its own name`);
    names.add(name);
  }
}
