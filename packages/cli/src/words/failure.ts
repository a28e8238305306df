import { CommanderError } from 'commander';

/** What the user gave cannot be used: one line that names it, says what was expected and what to do. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The work was done but its result cannot be trusted, or the work cannot go on. Exit code 1, no stack. */
export class RunError extends Error {
  override readonly name = 'RunError';
}

/** Errors of the packages that say what is wrong with what they were given. */
const aboutInput = new Set([
  'UsageError',
  'ModelError',
  'ModelFileError',
  'DataError',
  'NoiseConfigError',
  'PruneError',
  'BenchError',
  'EngineError',
]);

/** Errors of the packages whose one line says all that there is to say. */
const explained = new Set([...aboutInput, 'RunError', 'TrainError', 'CheckpointError', 'TensorflowError']);

/**
 * Says on standard error, in one line, why the command failed; a stack only where `SBP_DEBUG=1` asks for it.
 *
 * @param command what was called, such as `sbp train`, whose help shows what there is
 * @returns the exit code: 0 after help, 2 for wrong input, 130 for Ctrl-C, else 1
 */
export function exitStatus(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // `sbp` alone has shown its help instead
    if (error.code !== 'commander.help')
      say(`${error.message.replace(/^error: |\.$/g, '')}; ${command} --help shows what there is`);
    return 2;
  }
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  say(reason(error, name, message));
  if (process.env.SBP_DEBUG === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  const { code } = error as { code?: string };
  if (
    aboutInput.has(name) ||
    placeProblem(error as NodeJS.ErrnoException) ||
    isTooMuch(error) ||
    (name === 'TrainError' && code === undefined)
  )
    return 2;
  return name === 'TensorflowError' && code === 'interrupted' ? 130 : 1;
}

function reason(error: unknown, name: string, message: string): string {
  if (explained.has(name)) return message;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return `the disk is full${path ? ` (${path})` : ''}; what was written before is whole: make room, and the same command goes on.`;
  const problem = placeProblem(error as NodeJS.ErrnoException);
  if (problem) return problem;
  if (isTooMuch(error)) return `that takes more memory than there is (${message}); take smaller batches.`;
  // A device that fails and the like, which say which file.
  if (code && syscall) return message;
  return `internal error: ${message} (SBP_DEBUG=1 shows where)`;
}

/** An array that cannot be had, whoever asked for it. */
const isTooMuch = (error: unknown) => error instanceof RangeError && /array|buffer/i.test(error.message);

/** What is wrong with a place that was given, in words. */
function placeProblem({ code, syscall, path }: NodeJS.ErrnoException): string | undefined {
  if (path === undefined) return undefined;
  const shown = path.length > 80 ? `${path.slice(0, 40)}…${path.slice(-30)}` : path;
  if (code === 'ENAMETOOLONG')
    return `${shown} is a longer name than the file system takes; give a shorter one.`;
  // what Node says of folders to be made on a read-only disk
  if (code === 'EROFS' || (code === 'ENOENT' && syscall === 'mkdir'))
    return `${shown} can't be written: the disk is read-only there, or gone; give another place.`;
  if (code === 'EACCES' || code === 'EPERM')
    return `${shown} can't be ${syscall === 'open' || syscall === 'scandir' ? 'opened' : 'written'}: no permission for it; give another place, or permission.`;
  return undefined;
}

/** In one line: messages of other packages may have several. */
function say(text: string): void {
  process.stderr.write(`sbp: ${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
}
