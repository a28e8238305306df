let bytes = 0;

/** Bytes of all buffers and typed arrays that were asked for since {@link watchAllocations}. */
export const allocated = (): number => bytes;

/** Counts what is asked for, touched or not: pages that nobody has written to are no memory of the process yet. */
export function watchAllocations(): void {
  const classes = [
    'ArrayBuffer',
    'SharedArrayBuffer',
    'Uint8Array',
    'Int8Array',
    'Uint8ClampedArray',
    'Uint16Array',
    'Int16Array',
    'Uint32Array',
    'Int32Array',
    'Float32Array',
    'Float64Array',
  ] as const;
  for (const name of classes) {
    const own = globalThis[name] as unknown as new (...args: unknown[]) => object;
    const size = (own as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
    const watched: typeof own = new Proxy(own, {
      construct(target, args, newTarget) {
        const [first] = args as [unknown];
        if (typeof first === 'number') bytes += first * size;
        else if (ArrayBuffer.isView(first) || Array.isArray(first))
          bytes += (first as { length: number }).length * size;
        return Reflect.construct(target, args, newTarget === watched ? target : newTarget) as object;
      },
    });
    (globalThis as Record<string, unknown>)[name] = watched;
  }
  const list = Array as unknown as { new (...args: unknown[]): unknown[] };
  globalThis.Array = new Proxy(list, {
    construct(target, args, newTarget) {
      if (typeof args[0] === 'number' && args.length === 1) bytes += args[0] * 8;
      return Reflect.construct(target, args, newTarget) as unknown[];
    },
    apply(target, self, args) {
      if (typeof args[0] === 'number' && args.length === 1) bytes += args[0] * 8;
      return Reflect.apply(target as unknown as () => unknown[], self, args);
    },
  }) as unknown as ArrayConstructor;
}
