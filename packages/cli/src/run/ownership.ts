import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isTemporary, sweep, writeAtomically } from '@sbp/train/checkpoint';
import { lock } from 'proper-lockfile';
import { UsageError } from '../words/failure.js';
import { duration } from '../words/words.js';

/** Who works in a folder, as it says itself. */
interface Owner {
  host: string;
  process: number;
  /** ISO 8601. */
  since: string;
}

/**
 * After so many milliseconds without a sign of life another machine may take a folder over: evaluations may keep a process from giving one for minutes. On the same machine a process that is gone is known at once.
 */
const STALE = 5 * 60_000;
const SIGN_OF_LIFE = 10_000;

/** Whether a folder's entry is nobody's work: an owner's mark, or what a killed process had half written. */
export const isLeftOver = (name: string): boolean => name.startsWith('.owner') || isTemporary(name);

/**
 * Does something in a folder, which is made if it is not there, that no other process works in meanwhile, on this machine or on one that shares it. What a dead owner has left half written is swept away.
 *
 * @throws UsageError where another process works there, saying which and since when
 */
export async function owned<T>(folder: string, body: () => Promise<T>): Promise<T> {
  const made = mkdirSync(folder, { recursive: true });
  const release = await take(folder);
  const unmark = () => rmSync(markOf(folder), { force: true });
  process.once('exit', unmark);
  try {
    sweep(folder);
    return await body();
  } finally {
    process.off('exit', unmark);
    unmark();
    await release();
    if (made) removeEmpty(folder, made);
  }
}

/** Leaves no folders of a refused command. @param top the highest of those that were made for it */
function removeEmpty(folder: string, top: string): void {
  for (let at = resolve(folder); readdirSync(at).length === 0; at = dirname(at)) {
    rmdirSync(at);
    if (at === resolve(top)) return;
  }
}

type Release = () => Promise<void>;

async function take(folder: string): Promise<Release> {
  const first = ownerOf(folder);
  const busy = () => new UsageError(busyWords(folder, ownerOf(folder)));
  // one that lives here is not to be taken for gone, however long it has had no time to say so
  if (first && isHere(first) && lives(first)) throw busy();
  const free = await tryLock(folder);
  if (free) return free;
  if (!first || !isHere(first)) throw busy();
  // one of those that find it dead at once takes its lock away
  const alone = await lock(join(folder, '.owner-change'), { realpath: false, retries: 3 });
  try {
    const now = ownerOf(folder);
    if (now?.process !== first.process || now.since !== first.since) throw busy();
    rmSync(lockOf(folder), { recursive: true, force: true });
    const taken = await tryLock(folder);
    if (!taken) throw busy();
    return taken;
  } finally {
    await alone();
  }
}

const lockOf = (folder: string) => join(folder, '.owner.lock');
const markOf = (folder: string) => join(folder, '.owner.json');
const isHere = ({ host }: Owner) => host === hostname();

async function tryLock(folder: string): Promise<Release | undefined> {
  try {
    const release = await lock(join(folder, '.owner'), {
      ...{ lockfilePath: lockOf(folder), realpath: false, stale: STALE, update: SIGN_OF_LIFE },
      onCompromised: () => {
        process.stderr.write(
          `sbp: ${folder} was taken over by another process, or its .owner.lock was deleted; stopped, so that two do not write there.\n`,
        );
        process.exit(1);
      },
    });
    const me: Owner = { host: hostname(), process: process.pid, since: new Date().toISOString() };
    writeAtomically(markOf(folder), JSON.stringify(me));
    return release;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return undefined;
    throw error;
  }
}

/** The process of this machine that works in a folder, if one does. */
export function workerHere(folder: string): number | undefined {
  const owner = ownerOf(folder);
  return owner && isHere(owner) && lives(owner) ? owner.process : undefined;
}

/** Whether some process works in a folder, on whatever machine. */
export function isBusy(folder: string): boolean {
  const owner = ownerOf(folder);
  if (!owner) return false;
  if (isHere(owner)) return lives(owner);
  const lock = statSync(lockOf(folder), { throwIfNoEntry: false });
  return lock !== undefined && Date.now() - lock.mtimeMs < STALE;
}

function ownerOf(folder: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(markOf(folder), 'utf8')) as Owner;
    return Number.isInteger(owner.process) && owner.process > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

function lives({ process: id }: Owner): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // it is another user's
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function busyWords(folder: string, owner: Owner | undefined): string {
  const stale = duration(STALE / 1000);
  if (!owner)
    return `${folder} is being worked in by another process; wait for it. If it is gone, this works ${stale} after it.`;
  const { host, process: id, since } = owner;
  const gone = isHere(owner)
    ? `if that is no sbp, delete ${lockOf(folder)}`
    : `if that is gone, this works ${stale} after it`;
  return `${folder} is being worked in by process ${id} on ${host}, since ${since}: wait for it, stop it, or give another folder; ${gone}.`;
}
