/** What this package throws on unusable arguments; the one-line message says which one, and what to give instead. */
export class BenchError extends Error {
  override name = 'BenchError';
}

/** onnxruntime-node is not installed here, or does not load: there is nothing to measure, and a table shows a dash. */
export class OnnxRuntimeAbsentError extends BenchError {
  override name = 'OnnxRuntimeAbsentError';
}
