import * as tf from '@tensorflow/tfjs';
import { EngineError, type EngineName } from './engine-error.js';
import { registerTensorflowOps } from './tensorflow-ops/register.js';
import { registerWasmKernels } from './wasm/register.js';

/** A backend of tfjs that is ready and current. */
export interface Engine {
  /** tfjs itself; on tensorflow with what tfjs-node adds, such as `tf.node`. */
  readonly tf: typeof tf;
  readonly name: EngineName;
  /** 'CPU' or 'GPU'. */
  readonly device: string;
  /** TensorFlow's version on tensorflow, the backend package's elsewhere. */
  readonly version: string;
}

/**
 * Makes a backend current and gives it. 'auto' takes the first of tensorflow (`installTensorflow`, or a tfjs-node of the project),
 * wasm and cpu that starts, and warns on the console when only cpu, hundreds of times slower, is left. The wasm engine has
 * the kernels that tfjs-backend-wasm lacks to train convolutional nets.
 *
 * webgpu is there where the program has imported `@tensorflow/tfjs-backend-webgpu` itself, in a browser; 'auto' never picks it.
 *
 * @throws EngineError if the engine asked for cannot be had here; its message says why, and what to do
 */
export async function useEngine(preference: EngineName | 'auto' = 'auto'): Promise<Engine> {
  switch (preference) {
    case 'tensorflow':
      return useTensorflow();
    case 'wasm':
      return useWasm();
    case 'webgpu':
      return useWebgpu();
    case 'cpu':
      return useCpu();
    case 'auto':
      return useBest();
    default:
      throw new EngineError(
        preference,
        `There is no engine '${preference}'; there are 'auto', 'tensorflow', 'wasm', 'webgpu' and 'cpu'.`,
      );
  }
}

async function useBest(): Promise<Engine> {
  try {
    return await useTensorflow();
  } catch (error) {
    // One that is not installed is the usual case; one that is broken is worth a word.
    if (error instanceof EngineError && error.code !== 'not-installed')
      console.warn(`${error.message} Using wasm instead.`);
  }
  try {
    return await useWasm();
  } catch (error) {
    console.warn(
      `WARNING: neither tensorflow nor wasm runs here, so tfjs's cpu backend does all the work, hundreds of times slower. (${messageOf(error)})`,
    );
    return useCpu();
  }
}

async function useTensorflow(): Promise<Engine> {
  const node = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node;
  if (!node) {
    throw new EngineError('tensorflow', "The engine 'tensorflow' needs Node; use 'wasm' in a browser.", {
      code: 'not-installed',
    });
  }
  // Named by a variable, because bundlers for browsers must not follow it: what is behind is Node's.
  const specifier = './tensorflow/load.js';
  const { loadTensorflow } = (await import(
    /* @vite-ignore */ /* webpackIgnore: true */ specifier
  )) as typeof import('./tensorflow/load.js');
  try {
    const loaded = await loadTensorflow();
    await setBackend('tensorflow');
    registerTensorflowOps();
    return { tf: loaded.tf, name: 'tensorflow', device: loaded.device, version: loaded.version };
  } catch (error) {
    const { code } = error as { code?: string };
    throw new EngineError('tensorflow', messageOf(error), {
      cause: error,
      code: code === 'not-installed' ? code : 'failed',
    });
  }
}

async function useWasm(): Promise<Engine> {
  try {
    const { version_wasm: version } = await import('@tensorflow/tfjs-backend-wasm');
    if (!tf.findBackendFactory('wasm')) {
      throw new Error(
        'tfjs-backend-wasm registered itself with another copy of tfjs-core: `npm ls @tensorflow/tfjs-core` shows both, `npm dedupe` leaves one',
      );
    }
    registerWasmKernels();
    await setBackend('wasm');
    return { tf, name: 'wasm', device: 'CPU', version };
  } catch (error) {
    throw new EngineError('wasm', `The engine 'wasm' does not start: ${messageOf(error)}.`, { cause: error });
  }
}

async function useWebgpu(): Promise<Engine> {
  if (!tf.findBackendFactory('webgpu')) {
    throw new EngineError(
      'webgpu',
      "The engine 'webgpu' is not there: import '@tensorflow/tfjs-backend-webgpu' first, in a browser with WebGPU.",
      { code: 'not-installed' },
    );
  }
  try {
    await setBackend('webgpu');
  } catch (error) {
    throw new EngineError('webgpu', `The engine 'webgpu' does not start: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  return { tf, name: 'webgpu', device: 'GPU', version: tf.version_core };
}

async function useCpu(): Promise<Engine> {
  await setBackend('cpu');
  return { tf, name: 'cpu', device: 'CPU', version: tf.version['tfjs-backend-cpu'] };
}

/** tf.setBackend says by a boolean, and on the console, that it failed. */
async function setBackend(name: EngineName): Promise<void> {
  if (!(await tf.setBackend(name)))
    throw new Error(`tf.setBackend('${name}') failed; tfjs has written its reason above`);
  await tf.ready();
}

function messageOf(error: unknown): string {
  const { message = String(error) } = (error ?? {}) as { message?: string };
  return message.split('\n', 1)[0]!;
}
