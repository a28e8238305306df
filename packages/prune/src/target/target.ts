import type { Cost } from '@sbp/model';
import { PruneError } from '../errors.js';

/** What a pruned model may cost. Further ones go into the table. */
const measures = {
  /** Multiply-accumulates of one example. */
  macs: ({ macs }) => macs,
  /** Numbers in weights. */
  params: ({ params }) => params,
  /** Bytes of the weights in float32; a model's files have some kB for its structure beside them. */
  bytes: ({ params }) => 4 * params,
} satisfies Record<string, (cost: Cost) => number>;

/** The name of a {@link Target}'s measure. */
export type Measure = keyof typeof measures;

/** What a target can be of. */
export const targetMeasures = Object.keys(measures) as Measure[];

/**
 * How much is to be left: of one measure, a fraction of before, above 0 and at most 1; or, above 1, so many multiply-accumulates of one example, numbers in weights, or bytes of weights in
 * float32. Noise's own parameters count for nothing.
 */
export type Target = { [M in Measure]: { readonly [K in M]: number } }[Measure];

/** A target for a model of given costs. */
export interface Limit {
  readonly measure: Measure;
  /** As a fraction of before, at most 1. */
  readonly asked: number;
  /** In the measure's units. */
  readonly before: number;
  readonly limit: number;
  of(cost: Cost): number;
}

/** @throws PruneError for what is no target */
export function limitOf(target: Target, before: Cost): Limit {
  const entries = Object.entries(target ?? {}).filter(([, value]) => value !== undefined);
  const [measure, value] = entries[0] ?? [];
  if (entries.length !== 1 || !Object.hasOwn(measures, measure!))
    throw new PruneError(
      `target: ${JSON.stringify(target)}; expected one of ${targetMeasures.join(', ')}, such as { macs: 0.4 }`,
    );
  if (!(value! > 0 && value! < Infinity))
    throw new PruneError(
      `target: ${measure} is ${value}; expected a fraction of before, at most 1, or a number above 1`,
    );
  const of = measures[measure as Measure];
  const all = of(before);
  if (all === 0) throw new PruneError(`target: the model has no ${measure} that could be cut`);
  const share = Math.min(1, value! <= 1 ? value! : value! / all);
  return { measure: measure as Measure, asked: share, before: all, limit: share * all, of };
}
