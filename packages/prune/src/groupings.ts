import type { ChannelSet } from './channel-sets.js';
import type { Step } from './steps.js';

/** Groups of one kind within a set, as a method decides about them: an entry of the report. */
export interface Grouping {
  /** The groups are the indices of this step's output. */
  readonly step: number;
  /** The layer that they are reported under. */
  readonly name: string;
  /** Which of them the method keeps. */
  readonly alive: readonly boolean[];
  /** How many are worth it by the method's threshold; fewer than are alive where the best one stays all the same. */
  readonly above: number;
  readonly isNoise: boolean;
}

/** Where, on the way to the reader, each channel becomes several units. */
export function spreadOf(steps: readonly Step[], { path }: ChannelSet): number | undefined {
  return path.findLast((i) => {
    const { inShape, outShape } = steps[i]!;
    return inShape.at(-1) !== outShape.at(-1) || (inShape.length > 1 && outShape.length === 1);
  });
}

/** The set's groupings in the order of the chain; none: no method has anything to say about it. */
export function groupingsOf(steps: readonly Step[], set: ChannelSet): Grouping[] {
  const noises = set.path.flatMap((i): Grouping[] => {
    const { name, noise } = steps[i]!;
    if (!noise) return [];
    const alive = Array.from(noise.multiplier, (m) => m !== 0);
    return [{ step: i, name, alive, above: noise.above, isNoise: true }];
  });
  const named = new Set(noises.map(({ name }) => name));
  const others = sparseGroupings(steps, set).filter(({ name }) => !named.has(name));
  return [...noises, ...others].sort((a, b) => a.step - b.step);
}

function sparseGroupings(steps: readonly Step[], set: ChannelSet): Grouping[] {
  const reader = set.reader === undefined ? undefined : steps[set.reader]!.linear;
  // nothing can be taken from the model's output, nor from what reads its whole input
  if (!reader) return [];
  const maker = steps[set.maker]!;
  const [made, read] = [maker.linear?.sparsity, reader.sparsity];
  if (!made && !read) return [];
  const isRead = read?.reads(() => true);
  const grouping = (step: number): Grouping => {
    const alive = Array.from({ length: steps[step]!.outShape.at(-1)! }, () => false);
    for (let unit = 0; unit < set.units; unit++) {
      const isMade = made?.alive[set.at(set.maker, unit)] ?? true;
      if (isMade && (isRead?.[unit] ?? true)) alive[set.at(step, unit)] = true;
    }
    const above = alive.filter(Boolean).length;
    return { step, name: steps[step]!.name, alive, above, isNoise: false };
  };
  const spread = spreadOf(steps, set);
  const isVector = maker.outShape.length === 1;
  const splits = spread !== undefined && (!maker.linear || set.units !== maker.outShape.at(-1));
  return [
    ...(maker.linear || (isVector && !splits) ? [grouping(set.maker)] : []),
    ...(read && splits ? [grouping(spread)] : []),
  ];
}
