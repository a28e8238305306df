import { countedLayer } from '@sbp/bench';
import { type Cost, countFlops, type OwnTarget } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import type { Clock } from '../../measure/clocks.js';

/** What a call of a model takes, as far as it is in proportion to layers' multiply-accumulates, in milliseconds. */
export interface LayerTimes {
  /** Of each layer, for one multiply-accumulate of an example. */
  readonly perMac: Readonly<Record<string, number>>;
  /** What no cut takes away. */
  readonly rest: number;
}

/** So many milliseconds in layers. */
export interface TimeTarget {
  readonly times: LayerTimes;
  readonly atMost: number;
}

/** As `pruneModel` takes it. */
export function timeTarget({ times: { perMac }, atMost }: TimeTarget): OwnTarget {
  const of = ({ macs }: Cost, layer: string) => macs * (perMac[layer] ?? 0);
  return { measure: { name: 'latency', of }, atMost };
}

/**
 * By the clock, layer by layer; what is watched may take another time than what is not. A layer without multiply-accumulates takes the less the fewer channels it is given: its time is counted to the layer before it, which
 * the runtime may have made one with it.
 *
 * @param call milliseconds that nobody watched
 */
export async function timesOf(model: tf.LayersModel, call: number, clock: Clock): Promise<LayerTimes> {
  const layers = await clock.byLayer(model);
  const all = [...layers.values()].reduce((sum, time) => sum + time, 0);
  const scale = Math.min(1, call / all);
  const counted = countFlops(model).layers.filter(({ macs }) => macs > 0);
  const macsOf = new Map(counted.map(({ name, macs }) => [name, macs]));
  const ownerOf = countedLayer(model, new Set(macsOf.keys()));
  const perMac: Record<string, number> = {};
  let rest = call;
  for (const [layer, time] of layers) {
    const owner = ownerOf(layer);
    if (owner === undefined) continue;
    perMac[owner] = (perMac[owner] ?? 0) + (scale * time) / macsOf.get(owner)!;
    rest -= scale * time;
  }
  return { perMac, rest: Math.max(0, rest) };
}
