import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as it is installed; it runs what `pnpm run build` made. */
export const command = fileURLToPath(new URL('../../bin/sbp.js', import.meta.url));

export interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** A process that runs, and what it comes to. */
export interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** Starts `sbp` in a folder. */
export const start = (cwd: string, args: readonly string[], env?: NodeJS.ProcessEnv): Started =>
  startProgram(process.execPath, [command, ...args], {
    cwd,
    ...(env && { env: { ...process.env, ...env } }),
  });

/** Starts any program. */
export function startProgram(program: string, args: readonly string[], options: SpawnOptions): Started {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, ended };
}

/** Runs `sbp` as a process to its end. */
export const spawned = (cwd: string, ...args: string[]): Promise<Ended> => start(cwd, args).ended;

export const emptyFolder = (): string => mkdtempSync(join(tmpdir(), 'sbp-cli-'));
