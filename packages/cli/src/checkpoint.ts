import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Engine } from '@sbp/engine';
import type { EpochMetrics, TrainState } from '@sbp/train';
import { UsageError } from './failure.js';
import { writeAtomically } from './run-folder.js';

/** What a run goes on from: its state, what was measured so far, and what it must run on to give the same bits. */
export interface Checkpoint {
  engine: Engine['name'];
  replicas: number;
  history: EpochMetrics[];
  state: TrainState;
}

/**
 * Layout: a line with the sha256 of all that follows it, a line of JSON, then weights, m and v as little-endian float32.
 * One file, renamed into place: a run that is killed at any moment leaves the old one or the new one.
 */
export function writeCheckpoint(file: string, { state, ...rest }: Checkpoint): void {
  const { epoch, weights, m, v } = state;
  const header = JSON.stringify({ ...rest, epoch, weights: weights.length, moments: m.length });
  const body = Buffer.concat([
    Buffer.from(`${header}\n`),
    ...[weights, m, v].map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    ),
  ]);
  const digest = createHash('sha256').update(body).digest('hex');
  writeAtomically(file, Buffer.concat([Buffer.from(`${digest}\n`), body]));
}

/** @returns undefined where there is none yet. @throws UsageError where the file is not what was written */
export function readCheckpoint(file: string): Checkpoint | undefined {
  if (!existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  const body = bytes.subarray(bytes.indexOf('\n') + 1);
  if (createHash('sha256').update(body).digest('hex') !== bytes.toString('latin1', 0, 64))
    throw new UsageError(
      `${file} is damaged: its sha256 is not the one written in it; delete it and run the command again to start anew.`,
    );
  const end = body.indexOf('\n');
  const { epoch, weights, moments, ...rest } = JSON.parse(body.toString('utf8', 0, end));
  // Copied, because float32 views need an offset that is a multiple of four.
  const floats = new Float32Array(Uint8Array.from(body.subarray(end + 1)).buffer);
  const state: TrainState = {
    epoch,
    weights: floats.subarray(0, weights),
    m: floats.subarray(weights, weights + moments),
    v: floats.subarray(weights + moments),
  };
  return { ...rest, state };
}
