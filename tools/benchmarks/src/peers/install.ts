import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Absent } from '../contestants/contestant.js';

/** A peer in Python: an environment of its own, and a program in it. */
export interface Peer {
  title: string;
  /** Its folder in the cache. */
  name: string;
  /** Its program. */
  script: string;
  /** Turns of pip, one after the other. */
  pip: string[][];
  /** What it takes on the disk, in bytes. */
  size: number;
  /** A program for its Python to run after pip. */
  finish?: string;
}

const folder = fileURLToPath(new URL('../../peers/', import.meta.url));
const has = (program: string) => spawnSync(program, ['--version']).status === 0;

/**
 * On Linux PyTorch's wheel on the package index is built for CUDA and depends on 2 GB of its libraries. Where there are a compiler and binutils, it is installed without
 * them: with the two small ones whose data it reads, and stand-ins for the rest. What it does on the CPU is the same.
 */
function pytorch(): Peer {
  const base = { title: 'PyTorch eager', name: 'pytorch', script: join(folder, 'pytorch_eager.py') };
  const bare = process.platform === 'linux' && ['cc', 'nm', 'readelf'].every(has);
  const version = 'torch==2.15.0';
  if (!bare) return { ...base, pip: [[version, 'numpy']], size: 8e9 };
  const python = [
    'numpy',
    'filelock',
    'typing-extensions',
    'sympy',
    'networkx',
    'jinja2',
    'fsspec',
    'setuptools',
  ];
  return {
    ...base,
    pip: [
      ['--no-deps', version],
      ['nvidia-cuda-runtime==13.2.*', 'nvidia-cuda-cupti==13.2.*', ...python],
    ],
    size: 3e9,
    finish: join(folder, 'cpu_only.py'),
  };
}

export function peers(): Record<'pytorch' | 'tensorflow', Peer> {
  const wheel = process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  return {
    pytorch: pytorch(),
    tensorflow: {
      ...{
        title: 'TensorFlow Python, graph',
        name: 'tensorflow',
        script: join(folder, 'tensorflow_graph.py'),
      },
      // the version that this project's engine runs on
      ...{ pip: [[`${wheel}==2.21.*`]], size: 3e9 },
    },
  };
}

/** The command that starts a peer, and where it is installed. */
function placeOf(peer: Peer) {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const home = join(cache, 'sbp', 'bench-peers', peer.name);
  const python = join(home, 'bin', 'python');
  const wanted = JSON.stringify([peer.pip, peer.finish && 'cpu-only']);
  return { home, python, command: [python, peer.script], marker: join(home, 'installed.json'), wanted };
}

/** Whether a peer is there, whole and as it is wanted. */
export function isInstalled(peer: Peer): boolean {
  const { python, marker, wanted } = placeOf(peer);
  return existsSync(python) && existsSync(marker) && readFileSync(marker, 'utf8') === wanted;
}

/** Installs a peer with the user's own pip configuration, once. @returns the command that starts it; @throws Absent */
export async function installPeer(peer: Peer, say: (line: string) => void): Promise<string[]> {
  const { home, python, command, marker, wanted } = placeOf(peer);
  if (isInstalled(peer)) return command;
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < peer.size)
    throw new Absent(
      `it takes ${gigabytes(peer.size)} in ${home}, where ${gigabytes(bavail * bsize)} are free`,
    );
  const system = ['python3', 'python'].find(has);
  if (!system) throw new Absent('there is no python3 here to install it with');
  say(`${peer.title}: installing into ${home} (up to ${gigabytes(peer.size)} on the disk)`);
  await follow([system, '-m', 'venv', home], () => {});
  const downloads = (line: string) => {
    const match = /Downloading (?:\S+\/)?(\S+?)-\d\S*\.whl(?:\.metadata)? \(([\d.]+ [MG]B)\)/.exec(line);
    if (match) say(`${peer.title}: downloading ${match[1]}, ${match[2]}`);
    if (/^Installing/.test(line)) say(`${peer.title}: unpacking`);
  };
  for (const turn of peer.pip)
    await follow([python, '-m', 'pip', 'install', '--progress-bar', 'off', '--no-input', ...turn], downloads);
  if (peer.finish) await follow([python, peer.finish], () => {});
  await writeFile(marker, wanted);
  return command;
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
