import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tfjs from '@tensorflow/tfjs';
import { cacheRoot, findInstallation, packageFolder, packageNames } from './cache.js';
import { TensorflowError } from './error.js';
import { projectPackages, readPackage, resolveFrom, type TfjsNodePackage, tfjsOf } from './package.js';
import { supplyRemovedUtil } from './removed-util.js';

/** TensorFlow, loaded into this process. */
export interface Tensorflow {
  /** What the package exports: all of tfjs, and `node`. Its engine, kernels and registries are those of your tfjs. */
  tf: typeof tfjs;
  packageName: '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu';
  /** Absolute path of the package; its protobuf classes are in `dist/proto/api_pb.js`. */
  packageFolder: string;
  /** Whether it is a package of the project, or the one in the cache folder that `installTensorflow` made. */
  from: 'project' | 'cache';
  /** Version of TensorFlow, such as '2.21.0'. */
  version: string;
  device: 'CPU' | 'GPU';
}

export interface Candidate extends TfjsNodePackage {
  from: 'project' | 'cache';
}

/** The packages in the cache have no tfjs of their own: their `@tensorflow/tfjs` is what stands here. */
export const tfjsSlot = '@sbp/engine:tfjs';

const require = createRequire(import.meta.url);

/**
 * Loads TensorFlow and makes it tfjs's current backend (named 'tensorflow'). Looks for `@tensorflow/tfjs-node-gpu`,
 * then `@tensorflow/tfjs-node`: in the project if they were built, then in the cache folder that `installTensorflow`
 * fills. Called again, it gives the same; call `tf.setBackend('tensorflow')` if another backend was chosen in between.
 *
 * @param options.projectDir where to look for packages; default: the current folder
 * @throws TensorflowError 'not-installed' or 'load'
 */
export async function loadTensorflow(options: { projectDir?: string } = {}): Promise<Tensorflow> {
  const candidates = await findCandidates(options.projectDir ?? process.cwd(), cacheRoot());
  if (tfjs.findBackend('tensorflow')) {
    // The program imported tfjs-node itself, or called us before.
    const loaded = candidates.find(({ folder }) => require.cache[join(folder, 'dist', 'index.js')]);
    if (loaded) return describe(loaded, require(loaded.folder));
  }
  const failures: string[] = [];
  for (const candidate of candidates) {
    try {
      return loadCandidate(candidate);
    } catch (error) {
      failures.push(`${packageNames[candidate.variant]} of the ${candidate.from}: ${firstLine(error)}`);
    }
  }
  if (failures.length > 0) {
    throw new TensorflowError(
      'load',
      `TensorFlow is here but could not be loaded (${failures.join('; ')}). \`sbp engine install tensorflow\` repairs it.`,
    );
  }
  throw new TensorflowError(
    'not-installed',
    'TensorFlow is not installed. `sbp engine install tensorflow` gets it with pip and builds its addon.',
  );
}

/** Packages with an addon, in the order in which they are tried. */
export async function findCandidates(projectDir: string, root: string): Promise<Candidate[]> {
  const ours = tfjsOf(import.meta.url);
  const found = [
    ...(await projectPackages(resolveFrom(projectDir))),
    ...(await projectPackages(import.meta.filename)),
  ].filter(({ addon }, index, all) => existsSync(addon) && index === all.findIndex((p) => p.addon === addon));
  found.sort((a, b) => Number(a.variant === 'cpu') - Number(b.variant === 'cpu'));
  const cached: Candidate[] = [];
  for (const variant of ['gpu', 'cpu'] as const) {
    const installation = await findInstallation(root, variant);
    const candidate =
      installation && (await readPackage(packageFolder(installation.folder, variant), variant));
    if (candidate) cached.push({ ...candidate, from: 'cache' });
  }
  // A package that would bring a second copy of tfjs is the last choice: layers registered in one are unknown to the other.
  const project = found.map((candidate) => ({ ...candidate, from: 'project' as const }));
  const shares = (candidate: Candidate) => tfjsOf(join(candidate.folder, 'package.json')) === ours;
  return [...project.filter(shares), ...cached, ...project.filter((candidate) => !shares(candidate))];
}

/** @throws whatever its addon throws when it can't be loaded */
export function loadCandidate(candidate: Candidate): Tensorflow {
  supplyRemovedUtil();
  // TensorFlow greets on standard error with the instructions it was built for. Its warnings stay.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  // Its default is to use oneDNN only on CPUs with AVX-512 VNNI or the like; on others, too, convolutions take half the time with it.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  // Its default is to take all of a GPU's memory at once, from every other process, a run's replicas included.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  (globalThis as Record<symbol, unknown>)[Symbol.for(tfjsSlot)] = require('@tensorflow/tfjs');
  // The addon first: the package registers 150 kernels before it finds out that it has none.
  require(candidate.addon);
  return describe(candidate, require(candidate.folder));
}

function describe(candidate: Candidate, tf: typeof tfjs): Tensorflow {
  const backend = tfjs.findBackend('tensorflow') as unknown as {
    binding: { TF_Version: string };
    isUsingGpuDevice: boolean;
  };
  return {
    tf,
    packageName: packageNames[candidate.variant],
    packageFolder: candidate.folder,
    from: candidate.from,
    version: backend.binding.TF_Version,
    device: backend.isUsingGpuDevice ? 'GPU' : 'CPU',
  };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
