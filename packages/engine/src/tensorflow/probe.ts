import { fileURLToPath } from 'node:url';
import { runChild } from './child.js';
import { TensorflowError } from './error.js';
import type { Candidate, Tensorflow } from './load.js';

export type Probe = Omit<Tensorflow, 'tf'>;

const script = fileURLToPath(new URL('../../probe-tensorflow.mjs', import.meta.url));

/**
 * Loads TensorFlow in a fresh process and runs a convolution there.
 *
 * @param request which package to load, or the project to look in
 * @param options.libraries folder to look for TensorFlow's libraries in, before the one that the addon was built for
 * @throws TensorflowError 'not-installed', 'load' or 'interrupted'
 */
export async function probe(
  request: { candidate: Candidate } | { projectDir: string },
  options: { libraries?: string; signal?: AbortSignal } = {},
): Promise<Probe> {
  const env = { ...process.env };
  if (options.libraries) {
    const name = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
    env[name] = env[name] ? `${options.libraries}:${env[name]}` : options.libraries;
  }
  const { code, output, stdout } = await runChild(process.execPath, [script, JSON.stringify(request)], {
    env,
    signal: options.signal,
  });
  if (code === 0) return JSON.parse(stdout.trim().split('\n').at(-1)!) as Probe;
  if (/SIGILL/.test(output)) {
    throw new TensorflowError(
      'load',
      'TensorFlow needs instructions that this processor lacks (AVX). The wasm engine runs here.',
    );
  }
  const [, message] = /^(?:\w*Error(?: \[\w+\])?): (.*)$/m.exec(output) ?? [];
  const notInstalled = /code: 'not-installed'/.test(output);
  throw new TensorflowError(
    notInstalled ? 'not-installed' : 'load',
    notInstalled || /^TensorFlow is here/.test(message ?? '')
      ? message!
      : `TensorFlow was built but does not run in a fresh process: ${message ?? output.trim().split('\n').at(-1)}`,
  );
}
