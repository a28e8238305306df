import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, statfsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelFiles } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { TrainError } from '../../errors.js';
import { lasting } from '../../run/memory.js';
import type { SharedRun } from '../../run/shared-run.js';
import type { Channel } from '../correspondent.js';
import type { ProcessStart, Reply } from '../messages.js';
import { type Team, teamOf } from '../team.js';
import { cudaDevices } from './cuda.js';
import { meetingPlace, readViews, writeViews } from './process-link.js';

/**
 * Starts a process for each replica; on a GPU each has one of its own, by CUDA_VISIBLE_DEVICES. What they share goes through a file in
 * memory where the system has such files.
 *
 * @param device 'GPU' or 'CPU'
 * @throws TrainError where there are fewer GPUs than replicas, or no room for the file
 */
export async function startProcesses(
  model: tf.LayersModel,
  run: SharedRun,
  backend: string,
  device: string,
): Promise<Team> {
  const gpus = device === 'GPU' ? cudaDevices(run.replicas, process.env.CUDA_VISIBLE_DEVICES) : undefined;
  const files = await modelFiles(model);
  const file = memoryFile(run.bytes.byteLength);
  writeViews(file, lasting(run));
  const { bytes, weights, m, v, average, gradients, stats, exchanged, pauseAt, barrier, ...plan } = run;
  const children = Array.from({ length: run.replicas }, (_, index) => {
    const child = fork(new URL('./replica-process.js', import.meta.url), {
      serialization: 'advanced',
      // flags of the program's own, such as --input-type, are not for it
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', file, 'pipe'],
      env: environment(run.replicas, gpus?.[index]),
    });
    const start: ProcessStart = { model: files, plan, index, backend, device };
    child.send(start, () => {});
    return child;
  });
  const release = meetingPlace(children.map((child) => (child.stdio as unknown[])[5] as Socket));
  const team = await teamOf(children.map(channel), release).catch((error) => {
    closeSync(file);
    throw error;
  });
  return {
    ...team,
    async epoch(epoch, part) {
      const sums = await team.epoch(epoch, part);
      readViews(file, lasting(run));
      return sums;
    },
    async stop() {
      await team.stop();
      closeSync(file);
    },
  };
}

function channel(child: ChildProcess): Channel {
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => {
      const reason = signal
        ? `its process was killed (${signal}), by hand or for want of memory`
        : `its process ended with code ${code}`;
      // what it said before comes first
      if (child.connected) child.on('disconnect', () => resolve(reason));
      else resolve(reason);
    });
  });
  return {
    // one that can't be sent to is dead, which is known from its exit
    post: (request) => void child.send(request, () => {}),
    listen({ reply, death }) {
      child.on('message', (message: Reply) => reply(message));
      ended.then(death);
    },
    end() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

function environment(replicas: number, gpu: string | undefined): NodeJS.ProcessEnv {
  const threads = Math.max(1, Math.floor(availableParallelism() / replicas));
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    ...process.env,
    ...(gpu !== undefined && { CUDA_VISIBLE_DEVICES: gpu }),
  };
}

/** An open file of so many bytes, all 0, that has no name any more. */
function memoryFile(bytes: number): number {
  const root = ['/dev/shm', tmpdir()].find((folder) => existsSync(folder) && free(folder) > bytes);
  if (root === undefined)
    throw new TrainError(
      `replicas: ${Math.ceil(bytes / 2 ** 20)} MB are needed in ${tmpdir()} for what they share; make room, or set TMPDIR to a folder that has it.`,
    );
  const folder = mkdtempSync(join(root, 'sbp-replicas-'));
  const file = openSync(join(folder, 'memory'), 'w+');
  rmSync(folder, { recursive: true });
  ftruncateSync(file, bytes);
  return file;
}

function free(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
