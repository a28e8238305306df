import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UsageError } from '../../words/failure.js';
import type { SweepRun } from '../plan/kind.js';
import type { SweepFile } from '../plan/read-sweep.js';

/** A part of this machine that one run has to itself. */
export interface Slot {
  /** What pins a command to it, to be put before the command; nothing where cores cannot be pinned. */
  pin: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** What is here. */
export interface Machine {
  /** Numbers of the cores that this process may use. */
  cores: readonly number[];
  gpus: readonly string[];
  canPin: boolean;
}

/** Cuts this machine into as many parts as its cores or GPUs allow. @throws UsageError where it has fewer than one run asks for */
export function slotsOf(
  machine: Machine,
  { cores, gpus, file }: Pick<SweepFile, 'cores' | 'gpus' | 'file'>,
  runs: readonly Pick<SweepRun, 'onTensorflow'>[],
): Slot[] {
  const each = gpus ?? (machine.gpus.length > 0 && runs.some(({ onTensorflow }) => onTensorflow) ? 1 : 0);
  if (cores > machine.cores.length)
    throw new UsageError(
      `${file}: cores is ${cores}, and this machine has ${machine.cores.length} to give; give fewer.`,
    );
  if (each > machine.gpus.length)
    throw new UsageError(
      `${file}: gpus is ${each}, and this machine has ${machine.gpus.length || 'none'} to give (by CUDA_VISIBLE_DEVICES or nvidia-smi); give fewer, or 0.`,
    );
  const byCores = cores === 0 ? 1 : Math.floor(machine.cores.length / cores);
  // a GPU is not left alone because there are few cores
  const count = each === 0 ? byCores : cores === 0 ? 1 : Math.floor(machine.gpus.length / each);
  const size =
    cores === 0
      ? machine.cores.length
      : Math.max(1, Math.min(cores, Math.floor(machine.cores.length / count)));
  return Array.from({ length: count }, (_, i) => {
    const own = Array.from({ length: size }, (_, j) => machine.cores[(i * size + j) % machine.cores.length]!);
    const threads = String(size);
    return {
      pin: machine.canPin && size < machine.cores.length ? ['taskset', '-c', own.join(',')] : [],
      env: {
        ...(cores > 0 && {
          OMP_NUM_THREADS: threads,
          TF_NUM_INTRAOP_THREADS: threads,
          TF_NUM_INTEROP_THREADS: threads,
        }),
        ...(machine.gpus.length > 0 && {
          CUDA_VISIBLE_DEVICES: machine.gpus.slice(i * each, (i + 1) * each).join(','),
        }),
      },
    };
  });
}

/** What this process may use of the machine. */
export function thisMachine(): Machine {
  return { cores: allowedCores(), gpus: visibleGpus(), canPin: answers('taskset', ['-V']) !== undefined };
}

/** As Linux says; elsewhere there is nothing to pin to. */
function allowedCores(): number[] {
  const count = availableParallelism();
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    const cores = list!.split(',').flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number) as [number, number?];
      return Array.from({ length: last! - first + 1 }, (_, i) => first + i);
    });
    // a container's share may be less than the cores that it sees
    return cores.slice(0, count);
  } catch {
    return Array.from({ length: count }, (_, i) => i);
  }
}

function visibleGpus(): string[] {
  const { CUDA_VISIBLE_DEVICES: given } = process.env;
  if (given !== undefined)
    return given
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '' && one !== '-1');
  const listed = answers('nvidia-smi', ['--query-gpu=index', '--format=csv,noheader']);
  return (
    listed
      ?.split('\n')
      .map((line) => line.trim())
      .filter((line) => /^\d+$/.test(line)) ?? []
  );
}

/** What a program says, if it is there. */
function answers(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout : undefined;
}
