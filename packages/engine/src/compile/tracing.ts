let depth = 0;

/**
 * Whether a compiled function is being traced into a graph right now: code that would compute in JavaScript must use tensors
 * then, because numbers that it reads would be frozen into the graph.
 */
export function isTracing(): boolean {
  return depth > 0;
}

export function whileTracing<T>(body: () => T): T {
  depth++;
  try {
    return body();
  } finally {
    depth--;
  }
}
