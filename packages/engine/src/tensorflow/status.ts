import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { findCompiler } from './addon.js';
import { TensorflowError } from './error.js';
import { checkMachine, thisMachine } from './libraries.js';
import { installSizes } from './make.js';
import { findPip } from './pip.js';
import { probe } from './probe.js';

/** One engine on this machine. */
export interface EngineStatus {
  name: 'tensorflow' | 'wasm' | 'webgpu' | 'cpu';
  available: boolean;
  /** TensorFlow's version, or that of the engine's npm package. */
  version?: string;
  /** 'GPU', or the processor with its number of cores. */
  device?: string;
  /** What it would take to get it, or a better one: one line each, in the order in which to do them. */
  needs: string[];
}

/**
 * What is here: each engine, fastest first, and what it would take to get the missing ones. TensorFlow is tried in a
 * process of its own, so that this one stays as it is.
 *
 * @param options.projectDir where to look for tfjs-node packages; default: the current folder
 */
export async function engineStatus(options: { projectDir?: string } = {}): Promise<EngineStatus[]> {
  const { navigator = {} } = globalThis as { navigator?: object };
  const webgpu = 'gpu' in navigator;
  return [
    await tensorflowStatus(options.projectDir ?? process.cwd()),
    {
      name: 'wasm',
      available: true,
      version: await versionOf('@tensorflow/tfjs-backend-wasm'),
      device: processor(),
      needs: [],
    },
    { name: 'webgpu', available: webgpu, needs: webgpu ? [] : ['a browser with WebGPU: Node has none'] },
    {
      name: 'cpu',
      available: true,
      version: await versionOf('@tensorflow/tfjs'),
      device: processor(),
      needs: [],
    },
  ];
}

async function tensorflowStatus(projectDir: string): Promise<EngineStatus> {
  try {
    const { version, device, packageName } = await probe({ projectDir });
    const idle = device === 'CPU' && existsSync('/proc/driver/nvidia/version');
    return {
      name: 'tensorflow',
      available: true,
      version: `${version} (${packageName})`,
      device: device === 'GPU' ? 'GPU' : processor(),
      needs: idle
        ? [`sbp engine install tensorflow --gpu (${installSizes('gpu')}): there is an NVIDIA GPU`]
        : [],
    };
  } catch (error) {
    if (!(error instanceof TensorflowError)) throw error;
    const needs = error.code === 'not-installed' ? await missingTools() : [error.message];
    return { name: 'tensorflow', available: false, needs };
  }
}

async function missingTools(): Promise<string[]> {
  const message = (error: unknown) => {
    if (error instanceof TensorflowError) return error.message;
    throw error;
  };
  try {
    checkMachine(thisMachine());
  } catch (error) {
    return [message(error)];
  }
  const tools = [await findPip().then(() => '', message), await findCompiler().then(() => '', message)];
  return [...tools.filter(Boolean), `sbp engine install tensorflow (${installSizes('cpu')})`];
}

function processor(): string {
  const cores = cpus();
  return `CPU, ${cores.length} × ${cores[0]?.model.trim() || process.arch}`;
}

async function versionOf(name: string): Promise<string> {
  const entry = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(await readFile(entry, 'utf8')) as { version: string }).version;
}
