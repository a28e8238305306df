/** What of several networks is compared: how often each is wrong, and what it costs. */
export interface Priced {
  error: number;
  macs: number;
}

/** Those that no other is better than in both, by what they cost. */
export function frontOf<T extends Priced>(all: readonly T[]): T[] {
  const sorted = [...all].sort((a, b) => a.macs - b.macs || a.error - b.error);
  const front: T[] = [];
  for (const one of sorted) if (one.error < (front.at(-1)?.error ?? Infinity)) front.push(one);
  return front;
}
