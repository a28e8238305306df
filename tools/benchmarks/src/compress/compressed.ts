import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sbp = fileURLToPath(new URL('../../../../packages/cli/bin/sbp.js', import.meta.url));

/** What is read of the result.json of `sbp compress`. */
export interface Compressed {
  before: Sized;
  cut: Sized;
  after: Sized;
  report: { target: { measure: string; asked: number; reached: number } };
  seconds: number;
}

interface Sized {
  error: number;
  macs: number;
  params: number;
  bytes: number;
}

/** Runs `sbp compress` with these arguments into a folder; what is done there is not done again. Its progress goes to standard error. */
export function compressed(args: readonly string[], out: string): Compressed {
  const all = [sbp, 'compress', ...args, '--out', out];
  const { status } = spawnSync(process.execPath, all, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`sbp compress ${args.join(' ')} ended with ${status}`);
  return JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as Compressed;
}
