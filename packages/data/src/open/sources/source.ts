import type { DataOptions } from '../options.js';
import type { Context, Opened } from '../raw.js';

/** A path and what lies there. */
export interface Place {
  path: string;
  folder: boolean;
  /** Names in the folder, without hidden ones; of a file, none. */
  names: readonly string[];
}

/** One kind of data that people have. */
export interface Source {
  /** In words, for messages: "a folder of …". */
  what: string;
  /** Whether the place is of this kind, by names alone. */
  claims(place: Place): boolean;
  /** What is there; the arrays are read later. */
  open(place: Place, options: DataOptions, context: Context): Promise<Opened>;
}
