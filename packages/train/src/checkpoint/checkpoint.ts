import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '@sbp/engine';
import type { EpochMetrics, TrainState } from '../run/state.js';
import { isTemporary, sweep, temporaryOf, writeAtomically } from './atomic-write.js';

export { isTemporary, sweep, temporaryOf, writeAtomically };

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
 * The newest checkpoint that is as it was written: `current`, else the newer of `previous` and `best`. To go on from any of them ends with the same
 * weights. A damaged one that is skipped is set aside, so that it does not become `previous`.
 *
 * @param onDamaged is told of each
 * @param epochs of the training: none can have more
 * @returns undefined where there is none yet
 * @throws CheckpointError where there are some and all are damaged
 */
export function readCheckpoint(
  folder: string,
  onDamaged: (line: string) => void = () => {},
  epochs = Number.POSITIVE_INFINITY,
): Checkpoint | undefined {
  const { current, previous, best } = checkpointFiles(folder);
  const damaged: { file: string; why: string }[] = [];
  const read = (file: string) => {
    if (!existsSync(file)) return [];
    const checkpoint = parsed(readFileSync(file), epochs);
    if (typeof checkpoint !== 'string') return [{ file, checkpoint }];
    damaged.push({ file, why: checkpoint });
    return [];
  };
  const [newest] = read(current);
  const found =
    newest ?? [previous, best].flatMap(read).sort((a, b) => newestFirst(a.checkpoint, b.checkpoint))[0];
  if (!found) {
    if (damaged.length === 0) return undefined;
    const all = damaged.map(({ file, why }) => `${file} (${why})`).join(', ');
    throw new CheckpointError(
      `every checkpoint is damaged: ${all}; delete ${damaged.length === 1 ? 'it' : 'them'} to train anew.`,
    );
  }
  for (const { file, why } of damaged) {
    renameSync(file, `${file}.damaged`);
    onDamaged(`${file} is damaged (${why}) and set aside as ${file}.damaged; ${found.file} is used instead.`);
  }
  return found.checkpoint;
}

/** Negative where the first was written later. */
const newestFirst = ({ state: a }: Checkpoint, { state: b }: Checkpoint): number =>
  b.epoch - a.epoch || (b.within?.sums.examples ?? 0) - (a.within?.sums.examples ?? 0);

/** The checkpoint of the best epoch, by {@link criterion}; undefined where there is none, or it is damaged. */
export function readBestCheckpoint(folder: string): Checkpoint | undefined {
  const { best } = checkpointFiles(folder);
  const checkpoint = existsSync(best) ? parsed(readFileSync(best)) : undefined;
  return typeof checkpoint === 'string' ? undefined : checkpoint;
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

/** @returns a string where the bytes are not what was written, or what no training can have written: why */
function parsed(bytes: Buffer, epochs = Number.POSITIVE_INFINITY): Checkpoint | string {
  const body = bytes.subarray(bytes.indexOf('\n') + 1);
  const digest = createHash('sha256').update(body).digest('hex');
  if (bytes.toString('latin1', 0, bytes.length - body.length) !== `${digest}\n`)
    return 'its sha256 is not the one written in it';
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
  const checkpoint: Checkpoint = { ...rest, state };
  return whyNot(checkpoint, floats.length, epochs) ?? checkpoint;
}

/** What cannot be in a checkpoint, whose hash only says that nobody has changed it since. */
function whyNot(
  { history, state: { epoch, weights, m, v, average } }: Checkpoint,
  numbers: number,
  epochs: number,
): string | undefined {
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > epochs) return `it is of epoch ${epoch} of ${epochs}`;
  if (!Array.isArray(history) || history.length !== epoch)
    return `it has ${Array.isArray(history) ? history.length : 'no'} epochs' figures of ${epoch}`;
  const all = [weights, m, v, ...(average ? [average] : [])];
  if (
    all.reduce((sum, { length }) => sum + length, 0) !== numbers ||
    (average && average.length !== weights.length)
  )
    return 'it has not as many numbers as it says';
  const odd = all.some((vector) => !vector.every(Number.isFinite));
  return odd ? 'some of its weights are not numbers' : undefined;
}

function writeError(file: string, error: NodeJS.ErrnoException): Error {
  if (!error.code) return error;
  const why = error.code === 'ENOSPC' ? 'the disk is full' : error.message;
  return new CheckpointError(
    `${file} could not be written (${why}); the checkpoint before it is intact: make room or mend it, and the same command goes on from there.`,
    { cause: error },
  );
}
