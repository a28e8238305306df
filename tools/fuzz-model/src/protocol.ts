/** What the process that opens models is asked. */
export interface Ask {
  folder: string;
  /** Bytes of all its files. */
  bytes: number;
}

/** What it answers. */
export interface Answer {
  /** Undefined where the model opened. */
  refused?: string;
  /** Things that must not happen, each in a line. */
  faults: string[];
  milliseconds: number;
}
