import { type BatchTimingOptions, checkEntries, type ModelTiming, timeBatches } from './batches.js';
import { feedsFor, loadOnnxRuntime, type OnnxEntry, openSession } from './onnx-session.js';

/**
 * Times inference of ONNX models side by side on ONNX Runtime: one thread of the CPU, all of its graph optimisations, the whole
 * batch at once. Ratios are to the first entry at the same batch size.
 *
 * @returns a row for each batch size and entry, in that order, as `timeModels` gives them; `engine` is 'onnxruntime'
 * @throws OnnxRuntimeAbsentError where onnxruntime-node, an optional peer, is not installed; BenchError if there are no entries, two
 * share a name, or a file or its inputs can't be used
 */
export async function timeOnnx(
  entries: readonly OnnxEntry[],
  options: BatchTimingOptions = {},
): Promise<ModelTiming[]> {
  checkEntries('timeOnnx', entries);
  const runtime = await loadOnnxRuntime();
  const sessions = await Promise.all(entries.map((entry) => openSession(runtime, entry)));
  try {
    return await timeBatches('timeOnnx', entries, { ...options, engine: 'onnxruntime' }, (batchSize) => ({
      work: sessions.map((session, i) => {
        const feeds = feedsFor(runtime, session, entries[i]!.name, batchSize);
        return () => session.run(feeds);
      }),
    }));
  } finally {
    await Promise.all(sessions.map((session) => session.release()));
  }
}
