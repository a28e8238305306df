/** Where a training step's draws come from: the same seed, epoch and example give the same numbers to the bit. */
export interface Draw {
  /** An integer in [0, 2⁵³). */
  seed: number;
  /** An integer in [0, 2²¹). */
  epoch: number;
}
