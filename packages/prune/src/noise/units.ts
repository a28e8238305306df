import { isPickable } from '../cut/plan.js';
import type { Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import { type Place, readingsOf } from './places.js';

/**
 * Where noise decides about single units, which have no channel to go with: vectors that layers read by their kernels, and whose entries come from an input of the model or from flattening,
 * whatever treats each by itself on the way.
 */
export function unitPlacesOf(graph: OpGraph): readonly Place[] {
  const places = new Map<Value, Place>();
  for (const { value, reading } of readingsOf(graph)) {
    if (!comesFromUnits(value)) continue;
    const place = places.get(value) ?? { value, readings: [] };
    places.set(value, place);
    place.readings.push(reading);
  }
  return [...places.values()];
}

function comesFromUnits(value: Value): boolean {
  const { maker } = value;
  if (!maker) return isPickable(value);
  const [way] = maker.ways;
  if (maker.ways.length !== 1 || way?.kind !== 'passed') return false;
  return isPickable(maker) || comesFromUnits(maker.inputs[0]!);
}
