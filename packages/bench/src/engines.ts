import { EngineError, type EngineName, useEngine } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import type { ModelTiming } from './batches.js';
import { BenchError } from './errors.js';
import { type FunctionEntry, type ModelEntry, type ModelTimingOptions, timeModels } from './models.js';

export interface EngineTimings {
  /** As of `timeModels`, one engine after the other. */
  rows: ModelTiming[];
  /** Engines that didn't start here, and why. */
  absent: { engine: EngineName; reason: string }[];
}

/**
 * `timeModels` on one engine after the other; weights move along. tfjs has one current backend for the whole process, so
 * entries take turns within an engine and engines do not: compare ratios across engines, not times. The backend that was current is set again.
 *
 * @param options.engines default tensorflow and wasm, those that models are deployed on in Node.
 * @throws BenchError if none of them starts; whatever `timeModels` throws.
 */
export async function timeOnEngines(
  entries: readonly (ModelEntry | FunctionEntry)[],
  options: ModelTimingOptions & { engines?: readonly EngineName[] } = {},
): Promise<EngineTimings> {
  const { engines = ['tensorflow', 'wasm'], ...timing } = options;
  await tf.ready();
  const previous = tf.getBackend();
  const timings: EngineTimings = { rows: [], absent: [] };
  try {
    for (const engine of engines) {
      try {
        await useEngine(engine);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        timings.absent.push({ engine, reason: error.message });
        continue;
      }
      timings.rows.push(...(await timeModels(entries, timing)));
    }
  } finally {
    await tf.setBackend(previous);
  }
  if (timings.rows.length > 0) return timings;
  const reasons = timings.absent.map(({ engine, reason }) => `${engine}: ${reason}`).join('; ');
  throw new BenchError(
    `timeOnEngines: no engine started (${reasons || 'engines is empty'}); name one that runs here, such as 'wasm'`,
  );
}
