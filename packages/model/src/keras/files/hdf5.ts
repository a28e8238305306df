import type { Dataset, Group, ready } from 'h5wasm';
import { ModelError } from '../../errors.js';
import type { FileWeight } from '../../files/model-file.js';

/** What HDF5 files begin with. */
const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

export function isHdf5(bytes: Uint8Array): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

/** A data set that has not been read yet. */
export interface StoredWeight {
  /** From the file's root, or from where the walk began: `layers/dense/vars/0`. */
  readonly path: string;
  read(): Omit<FileWeight, 'name'>;
}

/** An open HDF5 file. */
export interface Hdf5 {
  /** Text of an attribute of the root; undefined where there is none. */
  text(attribute: string): string | undefined;
  /** Names of what stands below a group; empty where there is no such group. */
  names(group: string): string[];
  /** All data sets below a group of these; links to elsewhere are not followed. */
  weights(group: string): StoredWeight[];
}

/** A model has fewer groups and data sets than this, and is less deep; a file whose groups hold each other would have no end. */
const mostEntries = 50_000;
const deepest = 60;
/** All data sets together may be larger than the file by so much: compressed weights are hardly ever smaller. */
const mostInflated = 10;
const smallest = 1 << 16;

type Library = Awaited<typeof ready>;

let files = 0;

/**
 * What `use` makes of the file's bytes. The file lies in the library's own memory meanwhile, where there is no other file that it could refer to.
 *
 * @throws ModelError for what is no HDF5 file or a damaged one
 */
export async function withHdf5<T>(bytes: Uint8Array, use: (file: Hdf5) => T): Promise<T> {
  if (!isHdf5(bytes)) throw new ModelError('is not an HDF5 file');
  const library = await import('h5wasm');
  const module = await library.ready;
  const { FS } = library;
  if (!FS) throw new ModelError('HDF5 files cannot be read here');
  // The library would write its errors to the terminal else.
  module.activate_throwing_error_handler();
  const name = `model-${files++}.h5`;
  let file: InstanceType<typeof library.File> | undefined;
  try {
    FS.writeFile(name, bytes);
    file = new library.File(name, 'r');
    return use(reader(file, { ...library, module }, bytes.length));
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError('is a damaged HDF5 file; save the model again', undefined, { cause: error });
  } finally {
    quietly(() => file?.close());
    quietly(() => FS.unlink(name));
  }
}

function quietly(action: () => unknown): void {
  try {
    action();
  } catch {
    // The file is gone, or never came.
  }
}

function reader(
  root: Group,
  {
    Group: GroupClass,
    Dataset: DatasetClass,
    module,
  }: { Group: typeof Group; Dataset: typeof Dataset; module: Library },
  fileSize: number,
): Hdf5 {
  let entries = 0;
  let declared = 0;
  const groupAt = (path: string): Group | undefined => {
    if (path === '') return root;
    if (!root.keys().includes(path.split('/')[0]!)) return undefined;
    const found = root.get(path);
    return found instanceof GroupClass ? found : undefined;
  };
  const weights = (path: string): StoredWeight[] => {
    const found: StoredWeight[] = [];
    const pending: { group: Group; path: string; depth: number }[] = [];
    const start = groupAt(path);
    if (start) pending.push({ group: start, path: '', depth: 0 });
    for (let next = pending.pop(); next; next = pending.pop()) {
      for (const key of next.group.keys()) {
        if (++entries > mostEntries || next.depth > deepest)
          throw new ModelError('holds more groups than a model can have');
        const below = next.path ? `${next.path}/${key}` : key;
        const item = next.group.get(key);
        if (item instanceof GroupClass) pending.push({ group: item, path: below, depth: next.depth + 1 });
        else if (item instanceof DatasetClass) found.push({ path: below, read: () => read(item, below) });
      }
    }
    return found;
  };
  const read = (dataset: Dataset, path: string): Omit<FileWeight, 'name'> => {
    const { shape, total_size: count, size } = dataset.metadata;
    declared += count * size;
    if (!shape || !Number.isSafeInteger(declared) || declared > mostInflated * fileSize + smallest)
      throw new ModelError(`weight '${path}' says that it is larger than the file can hold`);
    return { shape, ...values(dataset, path, module) };
  };
  return {
    text: (attribute) => {
      const value = root.attrs[attribute]?.value;
      if (typeof value === 'string') return value;
      return value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined;
    },
    names: (path) => groupAt(path)?.keys() ?? [],
    weights,
  };
}

function values(dataset: Dataset, path: string, module: Library): Pick<FileWeight, 'dtype' | 'data'> {
  const { type, size, littleEndian, total_size: count } = dataset.metadata;
  if (count === 0) return { dtype: 'float32', data: new Float32Array() };
  const [float, integer, enumeration] = [1, 0, 8];
  if (type === float && size === 2 && littleEndian)
    return { dtype: 'float32', data: halves(raw(dataset, module)) };
  const given: unknown = dataset.value;
  if (type === float && size === 4 && given instanceof Float32Array) return { dtype: 'float32', data: given };
  if (typeof given === 'number' && type === float) return { dtype: 'float32', data: Float32Array.of(given) };
  if (typeof given === 'number' || typeof given === 'bigint' || typeof given === 'boolean')
    return { dtype: 'int32', data: Int32Array.of(Number(given)) };
  if (type === float && given instanceof Float64Array)
    return { dtype: 'float32', data: Float32Array.from(given) };
  if (type === enumeration && given instanceof Int8Array)
    return { dtype: 'bool', data: Uint8Array.from(given) };
  if (type === integer && ArrayBuffer.isView(given))
    return { dtype: 'int32', data: Int32Array.from(given as unknown as ArrayLike<number | bigint>, Number) };
  if (Array.isArray(given) && type === float)
    return { dtype: 'float32', data: Float32Array.from(given as number[]) };
  throw new ModelError(`weight '${path}' is of a type that cannot be read; save the model in float32`);
}

/** The bytes as they stand in the file: the library itself reads no floats of 16 bits. */
function raw({ file_id: file, path, metadata }: Dataset, module: Library): Uint8Array {
  const size = metadata.size * metadata.total_size;
  const place = module._malloc(size);
  try {
    module.get_dataset_data(file, path, null, null, null, BigInt(place));
    return module.HEAPU8.slice(place, place + size);
  } finally {
    module._free(place);
  }
}

/** Numbers of 16 bits, IEEE's. */
function halves(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = view.getUint16(2 * i, true);
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
