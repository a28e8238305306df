import { ModelFileError } from '../file-error.js';
import { listed } from '../one-line.js';

/** How the bytes of a model's own file are to be read. */
export type Format = 'json' | 'keras' | 'hdf5';

interface Foreign {
  /** What it is, behind "is". */
  readonly what: string;
  /** What to do to get a file that can be read. */
  readonly next: string;
  readonly named: RegExp;
  readonly begins?: (head: Uint8Array) => boolean;
}

const resave = "load it in Keras, call model.save('model.keras') and give that file";

/** Files of models that have no layers, or none that can be read without the program that wrote them. */
const foreign: readonly Foreign[] = [
  {
    what: 'a TensorFlow SavedModel, a graph of operations without layers',
    next: resave,
    named: /^(saved_model\.pb(txt)?|keras_metadata\.pb)$/,
  },
  {
    what: 'a frozen TensorFlow graph, which has no layers',
    next: `take the Keras model that it was made from: ${resave}`,
    named: /\.(pb|pbtxt)$/,
  },
  {
    what: 'a TensorFlow Lite model, which has no layers',
    next: `take the Keras model that it was made from: ${resave}`,
    named: /\.tflite$/,
    begins: (head) => ascii(head, 4, 8) === 'TFL3',
  },
  {
    what: 'an ONNX file, which has no layers',
    next: 'take the tfjs or Keras model that it was made from',
    named: /\.onnx$/,
  },
  {
    what: "weights only, a TensorFlow checkpoint, without the model's layers",
    next: "load it into the Keras model, call model.save('model.keras') and give that file",
    named: /(^checkpoint|\.ckpt|\.index|\.data-\d+-of-\d+)$/,
  },
  {
    what: "weights only, without the model's layers",
    next: "save the whole model in Keras, model.save('model.keras'), and give that file",
    named: /\.weights\.h5$/,
  },
  {
    what: 'a PyTorch file',
    next: 'only tfjs and Keras models can be read: build the network in Keras and copy its weights',
    named: /\.(pt|pth|safetensors)$/,
  },
];

const own: Record<Format, RegExp> = { json: /\.json$/, keras: /\.keras$/, hdf5: /\.(h5|hdf5)$/ };

/**
 * Which of a folder's files is the model: `model.json` before any other, else the one `.keras` or `.h5` file.
 *
 * @param names the folder's files
 * @param folder begins messages
 * @throws ModelFileError where there is none, or more than one
 */
export function modelIn(names: readonly string[], folder: string): string {
  if (names.includes('model.json')) return 'model.json';
  const found = names.filter((name) => (own.keras.test(name) || own.hdf5.test(name)) && !foreignNamed(name));
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new ModelFileError(`${folder} has ${listed(found.sort())}; give the one that is meant.`);
  for (const entry of foreign)
    if (names.some((name) => entry.named.test(name)))
      throw new ModelFileError(`${folder} is ${entry.what}; ${entry.next}.`);
  throw new ModelFileError(
    `${folder} has no model.json and no .keras or .h5 file; give the folder of a saved model, or the file itself.`,
  );
}

/**
 * How to read a file, by how it begins rather than by its name.
 *
 * @param name without its folder
 * @param origin begins messages
 * @throws ModelFileError naming what it is instead, and the next step
 */
export function formatOf(head: Uint8Array, name: string, origin: string): Format {
  const known = foreignNamed(name) ?? foreign.find(({ begins }) => begins?.(head));
  if (known) throw new ModelFileError(`${origin} is ${known.what}; ${known.next}.`);
  if (ascii(head, 1, 4) === 'HDF' && head[0] === 0x89) return 'hdf5';
  if (ascii(head, 0, 4) === 'PK\x03\x04') return 'keras';
  for (const format of ['keras', 'hdf5'] as const)
    if (own[format].test(name))
      throw new ModelFileError(
        `${origin} is no ${format === 'keras' ? 'Keras archive' : 'HDF5 file'}, though its name says so; copy or save the model anew.`,
      );
  return 'json';
}

function foreignNamed(name: string): Foreign | undefined {
  return foreign.find(({ named }) => named.test(name));
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
