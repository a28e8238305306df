import { ModelFileError } from '../file-error.js';
import type { FileWeight } from '../model-file.js';
import { listed, quoted, shownPath } from '../one-line.js';
import { checkPath, type FoundFile, type ModelSource, type SizedFile } from '../sources/source.js';
import { decode } from './decode.js';
import type { WeightGroup, WeightSpec } from './model-json.js';

/**
 * All weights of a manifest. No byte is read, and nothing allocated, before all files are there with the sizes that the manifest says; of files
 * on a server, no more than it says.
 *
 * @throws ModelFileError naming the file or the weight
 */
export async function readWeights(
  source: ModelSource,
  manifest: readonly WeightGroup[],
): Promise<{ weights: FileWeight[]; optimizerWeights: FileWeight[] }> {
  const seen = new Map<string, string>();
  const groups: Group[] = [];
  for (const { paths, weights } of manifest) {
    const files: FoundFile[] = [];
    const names = paths.map((path) => checkPath(path, source.origin));
    for (const name of names) {
      const file = await source.find(name);
      const twin = seen.get(file.id);
      // One small file could stand for any number of weights.
      if (twin !== undefined)
        throw new ModelFileError(
          `${source.origin} keeps weights in ${quoted(name)} twice${twin === name ? '' : `, once as ${quoted(twin)}`}; save the model anew.`,
        );
      seen.set(file.id, name);
      files.push(file);
    }
    const group = { names, files, weights, bytes: bytesOf(weights, source) };
    const sizes = files.map(({ size }) => size);
    if (sizes.every((size) => size !== undefined)) checkSize(group, sum(sizes), source);
    groups.push(group);
  }
  const all: (FileWeight & { group?: string })[] = [];
  for (const group of groups) {
    const bytes = await readGroup(group, source);
    let at = 0;
    for (const spec of group.weights) {
      const length = byteLength(spec);
      all.push({ ...decode(spec, bytes.subarray(at, at + length)), group: spec.group });
      at += length;
    }
  }
  const ofOptimizer = all.filter(({ group }) => group === 'optimizer');
  return {
    weights: ofOptimizer.length === 0 ? all : all.filter(({ group }) => group !== 'optimizer'),
    optimizerWeights: ofOptimizer,
  };
}

interface Group {
  readonly names: readonly string[];
  readonly files: readonly FoundFile[];
  readonly weights: readonly WeightSpec[];
  /** Of all its weights. */
  readonly bytes: number;
}

const bytesPerValue = { float32: 4, int32: 4, bool: 1, float16: 2, uint16: 2, uint8: 1 };

function byteLength({ shape, dtype, quantization }: WeightSpec): number {
  return shape.reduce((product, size) => product * size, bytesPerValue[quantization?.dtype ?? dtype]);
}

function bytesOf(weights: readonly WeightSpec[], { origin }: ModelSource): number {
  let bytes = 0;
  for (const spec of weights) {
    bytes += byteLength(spec);
    // Not even their count is exact beyond.
    if (!Number.isSafeInteger(bytes))
      throw new ModelFileError(
        `${origin}: weight ${quoted(spec.name)} is of the shape [${spec.shape.join(', ')}], more than any file holds; save the model anew.`,
      );
  }
  return bytes;
}

function checkSize({ names, bytes }: Group, found: number, source: ModelSource, atLeast = ''): void {
  if (found === bytes) return;
  const files =
    names.length === 0 ? source.origin : listed(names.map((name) => shownPath(source.show(name))));
  throw new ModelFileError(
    `${files}: expected ${bytes} bytes, as ${source.name} says, found ${atLeast}${found}; copy or save the model anew.`,
  );
}

async function readGroup(group: Group, source: ModelSource): Promise<Uint8Array> {
  const { files, bytes } = group;
  if (files.every((file): file is SizedFile => file.size !== undefined)) {
    const all = allocate(bytes, source);
    let at = 0;
    for (const file of files) {
      const length = await file.readInto(all.subarray(at, at + file.size));
      if (length !== file.size) checkSize(group, at + length, source, 'now ');
      at += file.size;
    }
    return all;
  }
  const shards: Uint8Array[] = [];
  let left = bytes;
  for (const file of files) {
    const shard = file.size === undefined ? await file.readAll(left) : undefined;
    if (!shard) checkSize(group, bytes + 1, source, 'at least ');
    shards.push(shard!);
    left -= shard!.length;
  }
  checkSize(group, bytes - left, source);
  if (shards.length === 1) return shards[0]!;
  const all = allocate(bytes, source);
  let at = 0;
  for (const shard of shards) {
    all.set(shard, at);
    at += shard.length;
  }
  return all;
}

function allocate(bytes: number, { origin }: ModelSource): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelFileError(
      `${origin}: its weights take ${(bytes / 1e9).toFixed(1)} GB, more than there is memory for.`,
      undefined,
      { cause: error },
    );
  }
}

const sum = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
