import { type SpawnOptions, spawn } from 'node:child_process';
import { TensorflowError } from './error.js';

export interface ChildResult {
  code: number;
  /** Standard output and error in the order in which they came. */
  output: string;
  stdout: string;
}

/**
 * Runs a program to its end and gives what it printed, whatever its exit status.
 *
 * @throws the system's ENOENT if there is no such program; TensorflowError 'interrupted' if it, or we, got a signal.
 */
export function runChild(
  command: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'signal'> & { onOutput?: (text: string) => void } = {},
): Promise<ChildResult> {
  const { onOutput, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
      onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput?.(text);
    });
    child.on('error', (error) =>
      reject(error.name === 'AbortError' ? interrupted(`${command} was stopped`) : error),
    );
    child.on('close', (code, signal) => {
      if (options.signal?.aborted) reject(interrupted(`${command} was stopped`));
      else if (signal === 'SIGINT' || signal === 'SIGTERM' || signal === 'SIGHUP' || signal === 'SIGKILL')
        reject(interrupted(`${command} ended with ${signal}`));
      else resolve({ code: code ?? 1, output: signal ? `${output}\nended with ${signal}` : output, stdout });
    });
  });
}

export function interrupted(what: string): TensorflowError {
  return new TensorflowError(
    'interrupted',
    `Installing TensorFlow was interrupted (${what}); nothing was changed. Run it again.`,
  );
}

/** The first command of `candidates` that runs and ends well with `args`, or undefined. */
export async function firstThatRuns(
  candidates: readonly (readonly string[])[],
  args: readonly string[],
): Promise<{ command: readonly string[]; output: string } | undefined> {
  for (const command of candidates) {
    const [program, ...before] = command as [string, ...string[]];
    const result = await runChild(program, [...before, ...args]).catch((error: Error) => {
      if (error instanceof TensorflowError) throw error;
      return undefined;
    });
    if (result?.code === 0) return { command, output: result.output };
  }
  return undefined;
}
