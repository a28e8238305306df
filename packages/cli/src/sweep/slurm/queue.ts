import { execFileSync } from 'node:child_process';
import { UsageError } from '../../words/failure.js';
import type { SweepFile } from '../plan/read-sweep.js';
import type { Queued } from '../states.js';
import { slurmLog, submittedArrays } from './arrays.js';

/** A run's task in the queue. */
export interface Task extends Queued {
  /** Of its array. */
  id: string;
  index: number;
}

/** Of squeue and sacct: what will not run any more. */
const ended =
  /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE|PREEMPTED|REVOKED)/;

/** Runs one of Slurm's commands. @throws UsageError in its words */
export function slurm(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
      timeout: 120_000,
    });
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT')
      throw new UsageError(
        `${command} is not there: --on slurm works where Slurm's commands are, such as a cluster's login node.`,
      );
    throw new UsageError(
      `${command}: ${(stderr?.trim() || message).replaceAll(/\s*\n\s*/g, ' ').slice(0, 300)}`,
    );
  }
}

/** What Slurm knows of a sweep's runs, by their names: of each the task that lives, else the last one. */
export function readQueue(sweep: SweepFile): Map<string, Task> {
  const arrays = submittedArrays(sweep);
  const tasks = new Map<string, Task>();
  if (arrays.size === 0) return tasks;
  const add = (job: string, id: string, index: string, word: string, reason = '') => {
    const name = arrays.get(job)?.[Number(index)];
    if (name === undefined || !/^\d+$/.test(index)) return;
    const lives = !ended.test(word);
    const before = tasks.get(name);
    if (before && (before.lives || (!lives && Number(before.id) > Number(id)))) return;
    tasks.set(name, {
      ...{ id, index: Number(index), lives },
      running: /^(RUNNING|COMPLETING|CONFIGURING|SUSPENDED|STAGE_OUT|SIGNALING|STOPPED)/.test(word),
      word: lives && reason && reason !== 'None' ? `${word} (${reason})` : word,
      log: slurmLog(sweep, job, Number(index)),
    });
  };
  for (const line of slurm('squeue', ['--me', '-h', '-r', '-t', 'all', '-o', '%F|%K|%T|%r|%j']).split('\n')) {
    const [id, index, word, reason, ...job] = line.split('|');
    if (job.length > 0) add(job.join('|'), id!, index!, word!, reason);
  }
  for (const line of accounted([...arrays.keys()])) {
    const [task, word, ...job] = line.split('|');
    const [id, index] = task!.split('_');
    if (index !== undefined) add(job.join('|'), id!, index, word!.split(' ')[0]!);
  }
  return tasks;
}

/** What has left the queue; clusters need not keep accounts, and the logs say why a run failed, too. */
function accounted(jobs: readonly string[]): string[] {
  try {
    const since = ['-S', 'now-30days', '--name', jobs.join(',')];
    return slurm('sacct', ['-n', '-P', '-X', ...since, '-o', 'JobID,State,JobName'])
      .split('\n')
      .filter(Boolean);
  } catch {
    return [];
  }
}

/** How many tasks an array can have. */
export function mostTasks(): number {
  const size = /^MaxArraySize\s*=\s*(\d+)/m.exec(slurm('scontrol', ['show', 'config']))?.[1];
  return Math.max(1, Number(size ?? 1001));
}
