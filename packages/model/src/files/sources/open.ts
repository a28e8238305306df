import { ModelFileError } from '../file-error.js';
import { shownPath, shownValue } from '../one-line.js';
import { type DroppedFile, openDropped } from './dropped-files.js';
import type { ModelSource } from './source.js';
import { type Fetch, openUrl } from './url-files.js';

/** What a model is opened from. */
export type LoadSource = string | URL | DroppedFile | ArrayLike<DroppedFile>;

export interface LoadOptions {
  /** What fetches a model at a URL, for those who have to send something along; the global `fetch` by default. */
  fetch?: Fetch;
}

/**
 * Where a model's files lie.
 *
 * @param openLocal for paths and `file:` URLs
 * @throws ModelFileError for what is none of these
 */
export async function openAnywhere(
  source: LoadSource,
  { fetch = (url) => globalThis.fetch(url) }: LoadOptions,
  openLocal: (source: string | URL) => Promise<ModelSource>,
): Promise<ModelSource> {
  // C:\models has no scheme of more than one letter.
  const isAddress = typeof source === 'string' && /^[a-z][a-z0-9+.-]+:\/\//i.test(source);
  if (isAddress || source instanceof URL) {
    const url = parsed(source);
    return url.protocol === 'file:' ? openLocal(url) : openUrl(url, fetch);
  }
  if (typeof source === 'string') return openLocal(source);
  if (isFile(source)) return openDropped([source]);
  if (typeof source === 'object' && source !== null && 'length' in source && Array.from(source).every(isFile))
    return openDropped(source);
  throw new ModelFileError(
    `loadModel was given ${shownValue(source)}; expected a path, a URL, or the files of a model.`,
  );
}

function parsed(source: string | URL): URL {
  try {
    return new URL(source);
  } catch {
    throw new ModelFileError(`${shownPath(String(source))} is no URL; give one, a path, or files.`);
  }
}

function isFile(value: unknown): value is DroppedFile {
  const { name, arrayBuffer } = (value ?? {}) as Partial<DroppedFile>;
  return typeof name === 'string' && typeof arrayBuffer === 'function';
}
