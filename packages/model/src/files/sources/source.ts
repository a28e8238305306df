import { ModelFileError } from '../file-error.js';
import { quoted, shownPath } from '../one-line.js';

/** A model's file and those beside it, wherever they lie. Opens nothing outside of their folder. */
export interface ModelSource {
  /** The model's file as the person named it; begins messages. */
  readonly origin: string;
  /** The model's own file, without its folder: `model.json`, `net.keras`. */
  readonly name: string;
  /** A file beside it, for messages. */
  show(path: string): string;
  /** @throws ModelFileError where the model's own file may not be read */
  main(): Promise<FoundFile>;
  /**
   * @param path of a file beside the model, checked by {@link checkPath}
   * @throws ModelFileError where it isn't there or may not be read
   */
  find(path: string): Promise<FoundFile>;
}

/** A file of which nothing has been read yet. */
export type FoundFile = SizedFile | StreamedFile;

export interface SizedFile {
  /** Unlike any other file's. */
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Puts its bytes into `out`.
   *
   * @returns how many there are; those that don't fit are not read, and count as one
   */
  readInto(out: Uint8Array): Promise<number>;
}

/** A file on a server, whose size shows for sure only when it has been read. */
export interface StreamedFile {
  readonly id: string;
  readonly size: undefined;
  /** All of it where there are at most `limit` bytes; undefined otherwise, with little more than that read. */
  readAll(limit: number): Promise<Uint8Array | undefined>;
}

/** All of a file where there are at most `limit` bytes; undefined otherwise. */
export async function readWhole(file: FoundFile, limit: number): Promise<Uint8Array | undefined> {
  if (file.size === undefined) return file.readAll(limit);
  if (file.size > limit) return undefined;
  const bytes = new Uint8Array(file.size);
  const length = await file.readInto(bytes);
  return bytes.subarray(0, Math.min(length, bytes.length));
}

/**
 * Makes sure that a path of a stranger's file stays in the file's folder, by its letters alone.
 *
 * @param origin begins messages
 * @returns the path with `/` between its parts
 * @throws ModelFileError
 */
export function checkPath(path: string, origin: string): string {
  const refuse = (why: string): never => {
    throw new ModelFileError(
      `${origin} keeps weights in ${quoted(path)}, which ${why}; only files in the model's own folder are read.`,
    );
  };
  const parts = path.split(/[/\\]/);
  if (path === '') refuse('is no name');
  if (path.length > 1024) refuse('is too long for a path');
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) refuse('is an address or a drive');
  if (parts[0] === '') refuse('is an absolute path');
  if (parts.includes('..')) refuse('leads out of its folder');
  if (path.includes('\0')) refuse('is no name');
  const names = parts.filter((part) => part !== '' && part !== '.');
  if (names.length === 0) refuse('is a folder');
  return names.join('/');
}

/** A file beside the model that isn't there. */
export function missing(source: Pick<ModelSource, 'show' | 'name'>, path: string): ModelFileError {
  return new ModelFileError(
    `${shownPath(source.show(path))} is missing; ${source.name} keeps its weights there: copy the whole folder.`,
  );
}
