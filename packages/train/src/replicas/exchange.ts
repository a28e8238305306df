import type { RunMemory } from '../run/memory.js';
import type { Link } from './link.js';

/** Another replica is gone, found out within a step. */
export class ReplicaGone extends Error {}

/** What a replica of a run tells all others within a step, so that they compute what a single one would. */
export class Exchange {
  /** Examples of the batch that are this replica's; 0 for one that only keeps the others company. */
  examples = 0;
  private round = 0;

  constructor(
    private readonly memory: Pick<RunMemory, 'exchanged'>,
    private readonly index: number,
    private readonly link: Link,
  ) {}

  /**
   * Sums over the replicas' values, each weighted by its part of the batch. All have to ask, in the same order, for as many
   * values; `combine` is given what each of them said and its weight, in the replicas' order, so that all get the same bits.
   *
   * @throws ReplicaGone
   */
  together<T>(values: ArrayLike<number>, combine: (said: Float64Array[], shares: number[]) => T): T {
    // Two places in turn: who writes into one again has met everybody since they read it.
    const places = this.memory.exchanged[this.round++ % 2] as Float64Array[];
    const own = (places[this.index] as Float64Array).subarray(0, 1 + values.length);
    own[0] = this.examples;
    own.set(values, 1);
    this.link.push(own);
    if (!this.link.meet()) throw new ReplicaGone();
    const all = places.map((place) => place.subarray(0, own.length));
    this.link.pull(...all.filter((_, r) => r !== this.index));
    const examples = all.reduce((sum, said) => sum + (said[0] as number), 0);
    const shares = all.map((said) => (said[0] as number) / examples);
    return combine(
      all.map((said) => said.subarray(1)),
      shares,
    );
  }
}
