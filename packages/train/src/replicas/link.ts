import type { RunMemory } from '../run/memory.js';
import { Barrier } from './barrier.js';

/** How what one replica writes in the run's memory comes to the others. All views are on its `bytes`. */
export interface Link {
  /** Makes what this replica wrote there known to the others once they have met. */
  push(...views: View[]): void;
  /** Brings what others pushed before all met. */
  pull(...views: View[]): void;
  /** Blocks until all replicas are here. @returns false where one is gone: stop working. */
  meet(): boolean;
}

export type View = Float32Array | Float64Array | Int32Array;

/** Between threads: the memory is the same, and they only have to meet. */
export function threadLink({ barrier }: RunMemory, replicas: number): Link {
  const place = new Barrier(barrier, replicas);
  return { push() {}, pull() {}, meet: () => place.wait() };
}
