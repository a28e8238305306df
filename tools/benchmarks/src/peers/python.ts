import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Absent } from '../contestants/contestant.js';

/** A Python of its own with packages in it. */
export interface PythonEnvironment {
  title: string;
  /** Its folder in the cache, such as 'bench-peers/pytorch'. */
  folder: string;
  /** Turns of pip, one after the other. */
  pip: string[][];
  /** What it takes on the disk, in bytes. */
  size: number;
  /** A program for its Python to run after pip. */
  finish?: string;
}

/** A folder in the cache of this project. */
export function cacheFolder(...parts: string[]): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sbp', ...parts);
}

function placeOf({ folder, pip, finish }: PythonEnvironment) {
  const home = cacheFolder(folder);
  const python = join(home, 'bin', 'python');
  const wanted = JSON.stringify([pip, finish && 'cpu-only']);
  return { home, python, marker: join(home, 'installed.json'), wanted };
}

/** Whether it is there, whole and as it is wanted. */
export function isPythonInstalled(environment: PythonEnvironment): boolean {
  const { python, marker, wanted } = placeOf(environment);
  return existsSync(python) && existsSync(marker) && readFileSync(marker, 'utf8') === wanted;
}

/** Installs it with the user's own pip configuration, once. @returns its Python; @throws Absent */
export async function installPython(
  environment: PythonEnvironment,
  say: (line: string) => void,
): Promise<string> {
  const { title, pip, size, finish } = environment;
  const { home, python, marker, wanted } = placeOf(environment);
  if (isPythonInstalled(environment)) return python;
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < size)
    throw new Absent(`it takes ${gigabytes(size)} in ${home}, where ${gigabytes(bavail * bsize)} are free`);
  const system = ['python3', 'python'].find((program) => spawnSync(program, ['--version']).status === 0);
  if (!system) throw new Absent('there is no python3 here to install it with');
  say(`${title}: installing into ${home} (up to ${gigabytes(size)} on the disk)`);
  await follow([system, '-m', 'venv', home], () => {});
  const downloads = (line: string) => {
    const match = /Downloading (?:\S+\/)?(\S+?)-\d\S*\.whl(?:\.metadata)? \(([\d.]+ [MG]B)\)/.exec(line);
    if (match) say(`${title}: downloading ${match[1]}, ${match[2]}`);
    if (/^Installing/.test(line)) say(`${title}: unpacking`);
  };
  for (const turn of pip)
    await follow([python, '-m', 'pip', 'install', '--progress-bar', 'off', '--no-input', ...turn], downloads);
  if (finish) await follow([python, finish], () => {});
  await writeFile(marker, wanted);
  return python;
}

/** Runs a command to its end, and hears its lines. @throws Absent with the last thing that it said */
async function follow([program, ...args]: string[], hear: (line: string) => void): Promise<void> {
  const child = spawn(program as string, args, {
    env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  });
  let said = '';
  let rest = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
      const lines = (rest + text).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) hear(line.trim());
    });
  const code = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', resolve);
  });
  if (code === 0) return;
  const reason =
    said
      .split('\n')
      .filter((line) => /error/i.test(line))
      .at(-1) ?? said.trim().split('\n').at(-1);
  throw new Absent(`${program} ${args.slice(0, 3).join(' ')} failed: ${reason || code}`);
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
