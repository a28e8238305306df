import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPython, type PythonEnvironment } from './python.js';

/** A peer in Python: an environment of its own, and a program in it. */
export interface Peer extends PythonEnvironment {
  /** Its program. */
  script: string;
}

const folder = fileURLToPath(new URL('../../peers/', import.meta.url));
const has = (program: string) => spawnSync(program, ['--version']).status === 0;

/**
 * On Linux PyTorch's wheel on the package index is built for CUDA and depends on 2 GB of its libraries. Where there are a compiler and binutils, it is installed without
 * them: with the two small ones whose data it reads, and stand-ins for the rest. What it does on the CPU is the same.
 */
function pytorch(): Peer {
  const base = {
    title: 'PyTorch eager',
    folder: 'bench-peers/pytorch',
    script: join(folder, 'pytorch_eager.py'),
  };
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

/** Torch-Pruning on the same PyTorch, in an environment of its own. */
export function torchPruning(): Peer {
  const torch = pytorch();
  return {
    ...torch,
    ...{ title: 'Torch-Pruning', folder: 'bench-peers/torch-pruning' },
    script: join(folder, 'torch_pruning_cifar.py'),
    pip: [...torch.pip, ['--no-deps', 'torch-pruning==1.6.1']],
  };
}

export function peers(): Record<'pytorch' | 'tensorflow', Peer> {
  const wheel = process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  return {
    pytorch: pytorch(),
    tensorflow: {
      ...{
        title: 'TensorFlow Python, graph',
        folder: 'bench-peers/tensorflow',
        script: join(folder, 'tensorflow_graph.py'),
      },
      // the version that this project's engine runs on
      ...{ pip: [[`${wheel}==2.21.*`]], size: 3e9 },
    },
  };
}

/** Installs a peer with the user's own pip configuration, once. @returns the command that starts it; @throws Absent */
export async function installPeer(peer: Peer, say: (line: string) => void): Promise<string[]> {
  return [await installPython(peer, say), peer.script];
}
