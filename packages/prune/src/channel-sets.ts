import type { Step } from './steps.js';

/**
 * Groups that one step makes and the next linear one reads, and what happens to each by itself in between. A group has
 * one or several *units*: indices of the tensor that the reader sees (flattening gives a channel one for each position).
 *
 * Steps are indices into the chain, so that a set could have several makers and readers (a residual sum) later.
 */
export interface ChannelSet {
  readonly maker: number;
  /** Undefined where the set is the model's output. */
  readonly reader: number | undefined;
  /** Steps between maker and reader. */
  readonly path: readonly number[];
  readonly units: number;
  /** At which index of a path step's output, or of the maker's, a unit is found. */
  at(step: number, unit: number): number;
}

export function channelSets(steps: readonly Step[]): ChannelSet[] {
  const makers = steps.flatMap(({ source }, i) => (source ? [] : [i]));
  return makers.map((maker, k) => {
    const reader = makers[k + 1];
    const end = reader ?? steps.length;
    const path = Array.from({ length: end - maker - 1 }, (_, i) => maker + 1 + i);
    const at = (step: number, unit: number) => {
      let index = unit;
      for (let i = end - 1; i > step; i--) index = steps[i]!.source!(index);
      return index;
    };
    return { maker, reader, path, units: steps[end - 1]!.outShape.at(-1)!, at };
  });
}
