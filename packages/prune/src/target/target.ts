import type { Cost } from '@sbp/model';
import type { Costs } from '../cut/costs.js';
import { PruneError } from '../errors.js';

/**
 * What a layer adds to what a model costs, by its multiply-accumulates of one example and its numbers in weights; in proportion to them, so that what a group costs can be told from
 * what it frees.
 */
export type LayerMeasure = (cost: Cost, layer: string) => number;

/** What a pruned model may cost. Further ones go into the table. */
const measures = {
  /** Multiply-accumulates of one example. */
  macs: ({ macs }) => macs,
  /** Numbers in weights. */
  params: ({ params }) => params,
  /** Bytes of the weights in float32; a model's files have some kB for its structure beside them. */
  bytes: ({ params }) => 4 * params,
} satisfies Record<string, LayerMeasure>;

/** The name of a {@link Target}'s measure. */
export type Measure = keyof typeof measures;

/** What a target can be of. */
export const targetMeasures = Object.keys(measures) as Measure[];

/** A measure of one's own, and how much may be left of it, in its units. */
export interface OwnTarget {
  readonly measure: { readonly name: string; readonly of: LayerMeasure };
  readonly atMost: number;
}

/**
 * How much is to be left of one measure: a fraction of before, above 0 and at most 1; or, above 1, so many multiply-accumulates of one example, numbers in weights, or bytes of weights in
 * float32. Noise's own parameters count for nothing.
 */
export type CostTarget = { [M in Measure]: { readonly [K in M]: number } }[Measure];

/** What a model may cost, by one of the measures that there are or by one's own. */
export type Target = CostTarget | OwnTarget;

/** A target for a model of given costs. */
export interface Limit {
  /** The measure's name. */
  readonly measure: string;
  /** As a fraction of before, at most 1. */
  readonly asked: number;
  /** In the measure's units. */
  readonly before: number;
  readonly limit: number;
  readonly of: LayerMeasure;
  /** Of all layers. */
  sum(costs: Costs): number;
}

/** @throws PruneError for what is no target */
export function limitOf(target: Target, costs: Costs): Limit {
  const { name, of, value } = isOwn(target)
    ? { ...target.measure, value: target.atMost }
    : knownTarget(target);
  if (!(typeof value === 'number' && value > 0 && value < Infinity))
    throw new PruneError(
      `target: ${name} is ${value}; expected a fraction of before, at most 1, or a number above 1`,
    );
  const sum = ({ layers }: Costs) => [...layers].reduce((all, [layer, cost]) => all + of(cost, layer), 0);
  const before = sum(costs);
  if (!(before > 0)) throw new PruneError(`target: the model has no ${name} that could be cut`);
  const isShare = !isOwn(target) && value <= 1;
  const asked = Math.min(1, isShare ? value : value / before);
  return { measure: name, asked, before, limit: asked * before, of, sum };
}

const isOwn = (target: Target): target is OwnTarget =>
  typeof target === 'object' && target !== null && 'measure' in target;

function knownTarget(target: CostTarget): { name: string; of: LayerMeasure; value: number } {
  const entries = Object.entries(target ?? {}).filter(([, value]) => value !== undefined);
  const [name, value] = entries[0] ?? [];
  if (entries.length !== 1 || !Object.hasOwn(measures, name!))
    throw new PruneError(
      `target: ${JSON.stringify(target)}; expected one of ${targetMeasures.join(', ')}, such as { macs: 0.4 }`,
    );
  return { name: name!, of: measures[name as Measure], value: value as number };
}
