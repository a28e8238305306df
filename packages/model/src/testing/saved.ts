import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll } from 'vitest';
import { modelFiles } from '../files/model-files.js';

/** A folder that goes with the test file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sbp-model-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** 60 bytes of weights: `d/kernel` [4, 3] and `d/bias` [3]. */
export const smallNet = () =>
  tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4], name: 'd' })] });

// biome-ignore lint/suspicious/noExplicitAny: tests change whatever there is.
type Loose = any;

/** The files of a model, `model.json` changed. */
export async function filesOf(
  model: tf.LayersModel,
  change: (json: Loose) => void = () => {},
): Promise<Record<string, Uint8Array>> {
  const files = await modelFiles(model);
  const json = JSON.parse(new TextDecoder().decode(files['model.json']));
  change(json);
  return { ...files, 'model.json': new TextEncoder().encode(JSON.stringify(json)) };
}

export function writeAll(folder: string, files: Record<string, Uint8Array | string>): void {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}

/** What a promise is refused with. */
export async function refusal(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error('was not refused'),
    (error: Error) => error,
  );
}
