import { ModelFileError } from '../file-error.js';
import { modelIn } from './formats.js';
import { type FoundFile, type ModelSource, missing } from './source.js';

/** What is needed of a browser's `File`. */
export interface DroppedFile {
  readonly name: string;
  readonly size: number;
  /** Where a folder was chosen or dropped, its path there. */
  readonly webkitRelativePath?: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * The model among files that a person dropped on a page or chose. Where they come with a folder, weights are looked for beside the model;
 * where they don't, by their names.
 *
 * @throws ModelFileError where there is none, or more than one
 */
export function openDropped(files: ArrayLike<DroppedFile>): ModelSource {
  const all = Array.from(files);
  const pathOf = ({ name, webkitRelativePath }: DroppedFile) => webkitRelativePath || name;
  const main = mainOf(all);
  const folder = pathOf(main).split('/').slice(0, -1).join('/');
  const source: ModelSource = {
    origin: main.name,
    name: main.name,
    show: (path) => path,
    main: async () => found(main, pathOf(main)),
    find: async (path) => {
      const whole = folder === '' ? path : `${folder}/${path}`;
      const file =
        all.find((file) => pathOf(file) === whole) ??
        all.find((file) => !file.webkitRelativePath && file.name === path.split('/').at(-1));
      if (!file) throw missing(source, path);
      return found(file, pathOf(file));
    },
  };
  return source;
}

function mainOf(files: readonly DroppedFile[]): DroppedFile {
  if (files.length === 0)
    throw new ModelFileError(
      'there are no files; drop model.json with its weight files, or a .keras or .h5 file.',
    );
  if (files.length === 1) return files[0]!;
  const jsons = files.filter(({ name }) => /\.json$/.test(name));
  // Someone may have called it otherwise.
  if (jsons.length === 1) return jsons[0]!;
  const name = modelIn(
    files.map(({ name }) => name),
    'what was dropped',
  );
  const candidates = files.filter((file) => file.name === name);
  if (candidates.length === 1) return candidates[0]!;
  throw new ModelFileError(`what was dropped has ${name} in several folders; drop one model.`);
}

function found(file: DroppedFile, id: string): FoundFile {
  return {
    id,
    size: file.size,
    readInto: async (out) => {
      if (file.size > out.length) return out.length + 1;
      const bytes = await contents(file);
      out.set(bytes);
      return bytes.length;
    },
  };
}

async function contents(file: DroppedFile): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new ModelFileError(
      `${file.name} can't be read (${(error as Error).message}); drop files, not folders, and drop them again where they have changed.`,
      undefined,
      { cause: error },
    );
  }
}
