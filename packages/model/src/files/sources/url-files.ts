import { ModelFileError } from '../file-error.js';
import { shownPath } from '../one-line.js';
import type { ModelSource, StreamedFile } from './source.js';

/** How files at a URL are fetched; `fetch` itself, or a function that adds headers to it. */
export type Fetch = (url: string) => Promise<Response>;

/**
 * The model at a URL, `http:` or `https:`. Weights are fetched from the same folder of the same server, with the model's own query behind them.
 *
 * @throws ModelFileError for other kinds of URL
 */
export function openUrl(url: URL, fetch: Fetch): ModelSource {
  const origin = shownPath(`${url.origin}${url.pathname}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ModelFileError(
      `${origin} is of the kind ${url.protocol}, which can't be read; give an http: or https: URL, or files.`,
    );
  const name = nameOf(url);
  const beside = (path: string): URL => {
    // Encoded, so that nothing in it is read as a query or as a way out of the folder.
    const at = new URL(path.split('/').map(encodeURIComponent).join('/'), new URL('.', url));
    at.search = url.search;
    return at;
  };
  return {
    origin,
    name: name || 'model.json',
    show: (path) => shownUrl(beside(path)),
    main: async () => streamed(url, fetch),
    find: async (path) => streamed(beside(path), fetch),
  };
}

function nameOf({ pathname }: URL): string {
  const name = pathname.split('/').at(-1)!;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const shownUrl = ({ origin, pathname }: URL) => shownPath(origin + pathname);

/** Fetched when it is read: browsers begin only a few requests at a time, and wait for those to end. */
function streamed(url: URL, fetch: Fetch): StreamedFile {
  return {
    id: url.href,
    size: undefined,
    readAll: async (limit) => {
      const response = await request(url, fetch);
      const { headers } = response;
      const announced = headers.get('content-encoding') ? 0 : Number(headers.get('content-length') ?? 0);
      if (!(announced > limit)) return readBody(response, limit, shownUrl(url));
      await response.body?.cancel();
      return undefined;
    },
  };
}

async function request(url: URL, fetch: Fetch): Promise<Response> {
  const failed = (why: string, cause?: unknown) =>
    new ModelFileError(`${shownUrl(url)} can't be had: ${why}`, undefined, { cause });
  let response: Response;
  try {
    response = await fetch(url.href);
  } catch (error) {
    const { message, cause } = error as Error;
    throw failed(cause instanceof Error ? `${message}: ${cause.message}` : message, error);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw failed(`the server says ${response.status} ${response.statusText}`);
}

async function readBody({ body }: Response, limit: number, shown: string): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body?.getReader();
  try {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      chunks.push(next.value);
      length += next.value.length;
      if (length > limit) return undefined;
    }
  } catch (error) {
    const { message } = error as Error;
    throw new ModelFileError(`${shown} broke off: ${message}; try again.`, undefined, { cause: error });
  } finally {
    await reader?.cancel().catch(() => {});
  }
  return joined(chunks, length);
}

/** Chunks as one run of bytes. */
function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
