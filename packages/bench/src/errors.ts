/** What this package throws on unusable arguments; the one-line message says which one, and what to give instead. */
export class BenchError extends Error {
  override name = 'BenchError';
}
