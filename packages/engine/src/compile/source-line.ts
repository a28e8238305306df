/** A place in a program; its line is worked out only when someone asks, because formatting a stack is slow. */
export type CallSite = { stack?: string };

/** The place from which `callee` was called. */
export function callSite(callee: (...args: never[]) => unknown): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace(site, callee);
  return site;
}

// tfjs in any of its packages, our kernels for it, and Node itself: never the line that a user wants to see.
const notTheUsers =
  /[\\/]@tensorflow[\\/]tfjs|[\\/]tensorflow-ops[\\/]|\(node:|at node:|\(native\)|<anonymous>/;

/** The innermost line of the user's program, as `file:line:column`. */
export function lineOf({ stack = '' }: CallSite): string | undefined {
  for (const frame of stack.split('\n')) {
    if (notTheUsers.test(frame)) continue;
    const place = /(?:\(|at (?:async )?)((?:file:\/\/|[A-Za-z]:)?[^()]*?:\d+:\d+)\)?$/.exec(
      frame.trim(),
    )?.[1];
    if (place) return decodeURI(place.replace(/^file:\/\//, ''));
  }
  return undefined;
}

/** ` at file:line:column`, or nothing where the line isn't known. */
export function at(line: string | undefined): string {
  return line === undefined ? '' : ` at ${line}`;
}

/** Runs `body` with stacks long enough to reach the user's line below tfjs's own frames. */
export function withLongStacks<T>(body: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  try {
    return body();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
