import type { Assignment } from './names.js';
import type { SweepFile } from './read-sweep.js';
import type { Stage } from './sweep-fields.js';

/** A run of a sweep, before its stage's command has said what it is. */
export interface Asked<S extends Stage = Stage> {
  sweep: SweepFile;
  stage: S;
  /** How messages call the stage. */
  place: string;
  name: string;
  /** What is the same in all runs of the stage, and then what this one has of what varies in it. */
  values: readonly [path: string, value: unknown][];
  /** What is different among runs, those that it starts from included. */
  assignment: Assignment;
  /** The run that it starts from. */
  from?: SweepRun;
}

/** What a command makes of one. */
export interface Planned {
  /** Where it leaves everything. */
  folder: string;
  /** Its command's arguments. @param at says a path as whoever runs the command sees it */
  args(at: (path: string) => string): string[];
  /** A file that the command reads. */
  file?: { path: string; text: string };
  /** The model that it leaves, for others to start from: a path. */
  model: string;
  /** A run of the same folder that it starts from, by its config's own word. */
  startsFrom?: string;
  /** Whether TensorFlow may compute. */
  onTensorflow: boolean;
  /** As the command itself sees it. @throws UsageError where the folder holds something else */
  isDone(): boolean;
}

/** A run of a sweep: an ordinary command, with a folder of its own. */
export interface SweepRun extends Planned {
  name: string;
  stage: string;
  command: Stage['command'];
  /** Its place in its stage, which is that in a queue's array, too. */
  index: number;
  assignment: Assignment;
  from?: SweepRun;
  /** What it has said so far. */
  log: string;
}
