/**
 * Rings of a graph: sets of more than one node of which each reaches all the others. Tarjan's algorithm.
 *
 * @returns each in alphabetical order, and in that of their first nodes
 */
export function rings(nodes: readonly string[], next: (node: string) => readonly string[]): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const visit = (node: string) => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    open.push(node);
    for (const other of next(node)) {
      if (!index.has(other)) visit(other);
      if (open.includes(other)) low.set(node, Math.min(low.get(node)!, low.get(other)!));
    }
    if (low.get(node) !== index.get(node)) return;
    const ring = open.splice(open.indexOf(node));
    if (ring.length > 1) found.push(ring.sort());
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return found.sort(([a], [b]) => (a! < b! ? -1 : 1));
}
