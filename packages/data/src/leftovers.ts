import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** The start of a work folder's name, after machine and process, so that those of the dead can be told from those of the living. */
export function partialName(what: string): string {
  return `${what}.partial-${hostname()}-${process.pid}-`;
}

/** Removes the work folders that processes of this machine left behind when they were killed. */
export async function removeLeftovers(parent: string, what: string): Promise<void> {
  const prefix = `${what}.partial-${hostname()}-`;
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    // What outlived its parent may still be writing there: then a later call removes it.
    if (!isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
