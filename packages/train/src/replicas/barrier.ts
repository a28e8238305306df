/** A meeting point for threads over shared memory: `wait` returns once all of them have called it. */
export class Barrier {
  /** Bytes of shared memory that a barrier takes. */
  static readonly bytes = 12;
  private readonly cells: Int32Array;

  /** @param parties number of threads that meet */
  constructor(
    memory: SharedArrayBuffer,
    private readonly parties: number,
  ) {
    this.cells = new Int32Array(memory);
  }

  /** Blocks until all parties are here. @returns false once the barrier has been broken: stop working. */
  wait(): boolean {
    const { cells } = this;
    if (this.broken) return false;
    if (this.parties === 1) return true;
    const round = Atomics.load(cells, ROUND);
    if (Atomics.add(cells, ARRIVED, 1) === this.parties - 1) {
      Atomics.store(cells, ARRIVED, 0);
      Atomics.add(cells, ROUND, 1);
      Atomics.notify(cells, ROUND);
    } else {
      // Replicas arrive close together, and a thread that sleeps takes longer to wake than most of them to come.
      const patience = performance.now() + SPIN_MS;
      while (Atomics.load(cells, ROUND) === round && performance.now() < patience);
      while (Atomics.load(cells, ROUND) === round && !this.broken) Atomics.wait(cells, ROUND, round, 1000);
      // who was let on has come together with all others, though the barrier may be broken by now
      return Atomics.load(cells, ROUND) !== round;
    }
    return true;
  }

  /** Releases everyone who waits, now and later: a party is gone. */
  break(): void {
    Atomics.store(this.cells, BROKEN, 1);
    Atomics.notify(this.cells, ROUND);
  }

  get broken(): boolean {
    return Atomics.load(this.cells, BROKEN) === 1;
  }
}

const SPIN_MS = 0.2;
const ARRIVED = 0;
const ROUND = 1;
const BROKEN = 2;
