import type * as tf from '@tensorflow/tfjs';
import { holderOf } from './holders.js';

type Layer = tf.layers.Layer;

/**
 * Where a layer stands in the graph that it is connected with, in words that neither names nor the order of making change: the classes and sizes of all that it
 * depends on, and which one it is of those for which these are the same; behind the place of the nested model that holds it. Undefined where it is in no graph.
 */
export function placeOf(layer: Layer): string | undefined {
  if (layer.inboundNodes.length === 0) return undefined;
  const order = backFrom(sinksAround(layer), makersOf);
  const cones = conesOf(order);
  const equals = order.filter((other) => cones.get(other) === cones.get(layer));
  const holder = holderOf(layer);
  return `${holder ? `${placeOf(holder)} ` : ''}${cones.get(layer)} ${equals.indexOf(layer)}`;
}

/** The layers of a connected graph that nothing reads, in the order in which they were made. */
function sinksAround(start: Layer): Layer[] {
  const seen = new Set([start]);
  // a Set yields what is added while it is walked
  for (const layer of seen) for (const next of [...makersOf(layer), ...readersOf(layer)]) seen.add(next);
  return [...seen].filter((layer) => layer.outboundNodes.length === 0).sort((a, b) => a.id - b.id);
}

/** Layers and all that they depend on, each behind those that it reads, first inputs first. */
function backFrom(last: readonly Layer[], makers: (layer: Layer) => Layer[]): Layer[] {
  const entered = new Set<Layer>();
  const done: Layer[] = [];
  // Deep models would overflow the stack of a recursion.
  const pending = [...last].reverse().map((layer) => ({ layer, isRead: false }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { layer, isRead } = next;
    if (isRead) done.push(layer);
    if (entered.has(layer)) continue;
    entered.add(layer);
    pending.push({ layer, isRead: true });
    for (const maker of makers(layer).reverse()) pending.push({ layer: maker, isRead: false });
  }
  return done;
}

/** Class, sizes and what it reads, all the way up, as a hash: the text itself would double with every branch. */
function conesOf(layers: readonly Layer[]): Map<Layer, string> {
  const cones = new Map<Layer, string>();
  for (const layer of backFrom(layers, (each) => [...firstUse(each).inboundLayers])) {
    const { inboundLayers, tensorIndices, outputShapes } = firstUse(layer);
    const read = inboundLayers.map((maker, i) => [cones.get(maker), tensorIndices[i]]);
    cones.set(layer, hash(JSON.stringify([layer.getClassName(), outputShapes, read])));
  }
  return cones;
}

/** One use is enough to tell a layer by, and a later one may read what it gave itself. The first node of a nested model is its inside. */
const firstUse = ({ inboundNodes }: Layer) =>
  inboundNodes.find(({ inboundLayers }) => inboundLayers.length > 0) ??
  (inboundNodes[0] as Layer['inboundNodes'][0]);

const makersOf = (layer: Layer) => layer.inboundNodes.flatMap((node) => node.inboundLayers);
const readersOf = (layer: Layer) => layer.outboundNodes.map((node) => node.outboundLayer);

/** cyrb53, 53 bits: short, and equal only where the text is. */
function hash(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return `${(b >>> 0).toString(36)}${(a >>> 0).toString(36)}`;
}
