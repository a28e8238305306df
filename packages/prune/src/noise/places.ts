import type { Reading, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { GroupSet, GroupSets } from './sets.js';

/** Where noise multiplies a set's groups: what some readers of a value are given. */
export interface Place {
  readonly value: Value;
  readonly readings: Reading[];
}

/**
 * For each set that can go, where noise has to stand for a drowned group to be 0 for everything that reads it: right before what reads it by its kernel, behind
 * batch norm and activation. What a sum takes of it on the way stays as it is, so that noise does not multiply along a residual stream.
 * Where a reader's input has several sets' groups, or several of one, noise stands before they are joined or spread.
 */
export function placesOf({ ops }: OpGraph, sets: GroupSets): ReadonlyMap<GroupSet, readonly Place[]> {
  const places = new Map<GroupSet, Map<Value, Place>>();
  const seen = new Set<string>();
  const look = (value: Value, reading: Reading): void => {
    const edge = `${ops.indexOf(reading.op)} ${reading.input}`;
    if (seen.has(edge)) return;
    seen.add(edge);
    const set = sets.of(value);
    if (set) {
      const own = places.get(set) ?? new Map<Value, Place>();
      places.set(set, own);
      const place = own.get(value) ?? { value, readings: [] };
      own.set(value, place);
      place.readings.push(reading);
      return;
    }
    const { maker } = value;
    maker?.ways.forEach(({ kind }, input) => {
      if (kind === 'passed') look(maker.inputs[input]!, { op: maker, input });
    });
  };
  for (const op of ops)
    op.ways.forEach(({ kind }, input) => {
      if (kind === 'rows') look(op.inputs[input]!, { op, input });
    });
  return new Map([...places].map(([set, own]) => [set, [...own.values()]]));
}
