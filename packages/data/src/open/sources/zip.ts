import type { Readable } from 'node:stream';
import { DataError } from '../../data-error.js';
import { shown } from '../raw.js';

/** A file in a zip archive. */
export interface ZipEntry {
  name: string;
  /** Bytes once unpacked. */
  size: number;
  /** Unpacked, from byte `start` on. */
  read(start: number): Promise<Readable>;
}

/** Deflate makes at most some 1,030 bytes of one; nothing that is worth training on comes near. */
const BOMB = { ratio: 500, bytes: 2 ** 28 };

const MOST_ENTRIES = 10_000;

/**
 * The files of a zip archive by its directory, without unpacking any.
 *
 * @throws DataError for what is no archive, is encrypted, or says that it unpacks to many times its size
 */
export async function openZip(path: string): Promise<ZipEntry[]> {
  const { default: yauzl } = await import('yauzl');
  const fail = (error: unknown): never => {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `${path}: expected a zip archive (.npz), found that it can't be read (${shown((error as Error).message)}); save it anew with numpy.savez`,
      path,
      { cause: error },
    );
  };
  const openArchive = () => yauzl.openPromise(path, { lazyEntries: true, autoClose: false }).catch(fail);
  const archive = await openArchive();
  const entries: ZipEntry[] = [];
  try {
    if (archive.entryCount > MOST_ENTRIES)
      throw new DataError(
        `${path}: expected at most ${MOST_ENTRIES} arrays, found ${archive.entryCount}`,
        path,
      );
    await new Promise<void>((resolve, reject) => {
      archive.on('error', reject);
      archive.on('end', resolve);
      archive.on('entry', (entry: import('yauzl').Entry) => {
        const { fileName: name, uncompressedSize: size, compressedSize } = entry;
        if (size > BOMB.bytes && size > BOMB.ratio * compressedSize)
          reject(
            new DataError(
              `${path}: ${shown(name)} would unpack ${compressedSize} bytes to ${size}; expected at most ${BOMB.ratio} times as much: give the arrays uncompressed (numpy.savez) if they are real`,
              path,
            ),
          );
        else if (entry.isEncrypted()) reject(new DataError(`${path}: ${shown(name)} is encrypted`, path));
        else {
          // A handle of its own a reading, which is closed with it.
          const read = async (start: number) => {
            const own = await openArchive();
            const stream = await unpacked(own, entry).catch((error) => {
              own.close();
              return fail(error);
            });
            return from(stream, start, own, fail);
          };
          entries.push({ name, size, read });
          archive.readEntry();
        }
      });
      archive.readEntry();
    });
  } catch (error) {
    fail(error);
  } finally {
    archive.close();
  }
  return entries;
}

function unpacked(archive: import('yauzl').ZipFile, entry: import('yauzl').Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    archive.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream!)));
  });
}

async function from(
  stream: Readable,
  start: number,
  archive: { close(): void },
  fail: (error: unknown) => never,
): Promise<Readable> {
  const { Readable } = await import('node:stream');
  return Readable.from(
    (async function* () {
      let skip = start;
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          if (skip < chunk.length) yield skip > 0 ? chunk.subarray(skip) : chunk;
          skip = Math.max(0, skip - chunk.length);
        }
      } catch (error) {
        fail(error);
      } finally {
        archive.close();
      }
    })(),
    { objectMode: true },
  );
}
