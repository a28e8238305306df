import { constants, existsSync, statSync } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { ModelFileError } from '../file-error.js';
import { shownPath } from '../one-line.js';
import { modelIn } from './formats.js';
import { type FoundFile, type ModelSource, missing } from './source.js';

/**
 * The model at a path.
 *
 * @param path a model's file, or a folder that has one
 * @throws ModelFileError where there is none, or it leads out of its folder
 */
export async function openPath(path: string): Promise<ModelSource> {
  const file = await modelFileAt(path);
  const folder = dirname(file);
  const name = basename(file);
  const show = (other: string) => join(folder, other);
  const source: ModelSource = {
    origin: shownPath(file),
    name,
    show,
    main: () => find(folder, name, shownPath(file)),
    find: (other) => {
      if (!existsSync(show(other))) throw missing(source, other);
      return find(folder, other, shownPath(show(other)));
    },
  };
  return source;
}

async function modelFileAt(path: string): Promise<string> {
  const shown = shownPath(path);
  if (path.includes('\0') || !existsSync(path))
    throw new ModelFileError(
      `${shown}: there is no such file; give a model.json, a .keras or .h5 file, or the folder of one, as sbp train, tf.LayersModel.save and Keras write it.`,
    );
  if (!statSync(path).isDirectory()) return path;
  return join(path, modelIn(await readable(shown, () => readdir(path)), shown));
}

/** Opens nothing yet: a device or a pipe may act, or wait, as soon as it is opened. */
async function find(folder: string, path: string, shown: string): Promise<FoundFile> {
  const [home, real, stats] = await readable(shown, async () => {
    const real = await realpath(join(folder, path));
    return [await realpath(folder), real, await stat(real)] as const;
  });
  const inside = relative(home, real);
  // Another drive has no relative path.
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside))
    throw new ModelFileError(
      `${shown} is a link that leads out of its folder, to ${shownPath(real)}; only files in the model's own folder are read: copy it there.`,
    );
  if (!stats.isFile())
    throw new ModelFileError(
      `${shown} is ${stats.isDirectory() ? 'a folder' : 'a device, a pipe or a socket'}, not a file; copy or save the model anew.`,
    );
  const readInto = (out: Uint8Array) =>
    readable(shown, async () => {
      // Whatever takes the file's place meanwhile: a link is not followed and a pipe not waited for.
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      const file = await open(real, flags);
      try {
        return await fill(file, out);
      } finally {
        await file.close();
      }
    });
  return { id: real, size: stats.size, readInto };
}

async function readable<T>(shown: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code) throw error;
    throw new ModelFileError(
      `${shown} can't be read (${code}); look at its permissions, or copy it elsewhere.`,
      undefined,
      { cause: error },
    );
  }
}

/** The system reads no more than 2 GB at once. */
const most = 2 ** 30;

async function fill(file: FileHandle, out: Uint8Array): Promise<number> {
  let at = 0;
  while (at < out.length) {
    const { bytesRead } = await file.read(out, at, Math.min(out.length - at, most), at);
    if (bytesRead === 0) return at;
    at += bytesRead;
  }
  const { bytesRead } = await file.read(new Uint8Array(1), 0, 1, at);
  return at + bytesRead;
}
