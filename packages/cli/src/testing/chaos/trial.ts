import type { philox } from '@sbp/math';
import type { Subject } from './subject.js';

/** One harm that is done. */
export interface Trial {
  /** What it is counted among. */
  kind: string;
  /** What is done, for who looks for the fault. */
  name: string;
  /** @param folder of its own, which is not there yet. @returns what went wrong; undefined where nothing did */
  run(folder: string): Promise<string | undefined>;
}

/** What trials are made of. */
export interface Harm {
  subjects: readonly Subject[];
  /** Numbers in [0, 1), as many as are asked for. */
  random(count: number): Float32Array;
  /** How many trials of it, where that is free. */
  count: number;
}

/** Draws by a seed, trial by trial. */
export function randomOf(generator: ReturnType<typeof philox>): Harm['random'] {
  let counter = 0;
  return (count) => generator.uniforms(counter++, new Float32Array(count));
}

export const pause = (seconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
