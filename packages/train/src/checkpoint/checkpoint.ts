import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '@sbp/engine';
import type { EpochMetrics, TrainState } from '../run/state.js';
import { sweep, temporaryOf, writeAtomically } from './atomic-write.js';

export { sweep, temporaryOf, writeAtomically };

/** What a run goes on from: its state, what was measured so far, and what it must run on to give the same bits. */
export interface Checkpoint {
  engine: Engine['name'];
  replicas: number;
  /** Metrics of the epochs done. */
  history: EpochMetrics[];
  state: TrainState;
}

/** A checkpoint cannot be written, or none can be read; one line that names the file and says what to do. */
export class CheckpointError extends Error {
  override name = 'CheckpointError';
}

/** Paths of a run's checkpoints: the newest, the one before it, and the best epoch's. */
export function checkpointFiles(folder: string) {
  return {
    current: join(folder, 'current.bin'),
    previous: join(folder, 'previous.bin'),
    best: join(folder, 'best.bin'),
  };
}

/**
 * What the best epoch has least of: the error on held-out images, or without any the training objective (loss + KL). Never the
 * test error: what is selected by it would be reported with it.
 */
export function criterion({ validationError, loss, kl }: EpochMetrics): number {
  return validationError ?? loss + kl;
}

/**
 * Writes `current`, keeps the one before it as `previous`, and at an epoch's end also writes `best` if no earlier one was as good.
 * A process that is killed at any moment, or a disk that is full, leaves whole files of before or of now.
 *
 * @param folder made if it is not there
 * @throws CheckpointError that says why it could not be written
 */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint): void {
  const files = checkpointFiles(folder);
  const pieces = serialized(checkpoint);
  try {
    mkdirSync(folder, { recursive: true });
    if (isBest(checkpoint)) writeAtomically(files.best, ...pieces);
    writeAtomically(`${files.current}.new`, ...pieces);
    if (existsSync(files.current)) renameSync(files.current, files.previous);
    renameSync(`${files.current}.new`, files.current);
  } catch (error) {
    throw writeError(files.current, error as NodeJS.ErrnoException);
  }
}

/**
 * The newest checkpoint that is as it was written: `current`, else `previous`, else `best`. To go on from any of them ends with the same
 * weights. A damaged one that is skipped is set aside, so that it does not become `previous`.
 *
 * @param onDamaged is told of each
 * @returns undefined where there is none yet
 * @throws CheckpointError where there are some and all are damaged
 */
export function readCheckpoint(
  folder: string,
  onDamaged: (line: string) => void = () => {},
): Checkpoint | undefined {
  const { current, previous, best } = checkpointFiles(folder);
  const damaged: string[] = [];
  for (const file of [current, previous, best].filter((path) => existsSync(path))) {
    const checkpoint = parsed(readFileSync(file));
    if (checkpoint) {
      for (const path of damaged) {
        renameSync(path, `${path}.damaged`);
        onDamaged(
          `${path} is damaged (its sha256 is not the one written in it) and set aside as ${path}.damaged; ${file} is used instead.`,
        );
      }
      return checkpoint;
    }
    damaged.push(file);
  }
  if (damaged.length > 0)
    throw new CheckpointError(
      `every checkpoint is damaged (sha256 not the one written in it): ${damaged.join(', ')}; delete ${damaged.length === 1 ? 'it' : 'them'} to train anew.`,
    );
  return undefined;
}

/** The checkpoint of the best epoch, by {@link criterion}; undefined where there is none, or it is damaged. */
export function readBestCheckpoint(folder: string): Checkpoint | undefined {
  const { best } = checkpointFiles(folder);
  return existsSync(best) ? parsed(readFileSync(best)) : undefined;
}

function isBest({ state, history }: Checkpoint): boolean {
  const last = history.at(-1);
  if (!last || state.within) return false;
  return history.slice(0, -1).every((epoch) => criterion(last) < criterion(epoch));
}

/** A line with the sha256 of all that follows it, a line of JSON, then weights, m, v and any average as little-endian float32. */
function serialized({ state, ...rest }: Checkpoint): Uint8Array[] {
  const { weights, m, v, average, ...position } = state;
  const header = JSON.stringify({ ...rest, ...position, weights: weights.length, moments: m.length });
  const body = [
    Buffer.from(`${header}\n`),
    ...[weights, m, v, ...(average ? [average] : [])].map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  ];
  const hash = createHash('sha256');
  for (const piece of body) hash.update(piece);
  return [Buffer.from(`${hash.digest('hex')}\n`), ...body];
}

/** @returns undefined where the bytes are not what was written */
function parsed(bytes: Buffer): Checkpoint | undefined {
  const body = bytes.subarray(bytes.indexOf('\n') + 1);
  const digest = createHash('sha256').update(body).digest('hex');
  if (bytes.toString('latin1', 0, bytes.length - body.length) !== `${digest}\n`) return undefined;
  const end = body.indexOf('\n');
  const { epoch, within, live, steering, lossFunctions, weights, moments, ...rest } = JSON.parse(
    body.toString('utf8', 0, end),
  );
  // Copied, because float32 views need an offset that is a multiple of four.
  const floats = new Float32Array(Uint8Array.from(body.subarray(end + 1)).buffer);
  const average = floats.subarray(weights + 2 * moments);
  const state: TrainState = {
    epoch,
    ...(within && { within }),
    ...(live && { live }),
    ...(steering && { steering }),
    ...(lossFunctions && { lossFunctions }),
    weights: floats.subarray(0, weights),
    m: floats.subarray(weights, weights + moments),
    v: floats.subarray(weights + moments, weights + 2 * moments),
    ...(average.length > 0 && { average }),
  };
  return { ...rest, state };
}

function writeError(file: string, error: NodeJS.ErrnoException): Error {
  if (!error.code) return error;
  const why = error.code === 'ENOSPC' ? 'the disk is full' : error.message;
  return new CheckpointError(
    `${file} could not be written (${why}); the checkpoint before it is intact: make room or mend it, and the same command goes on from there.`,
    { cause: error },
  );
}
