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
 *
 * A reader's input may have several sets' groups. If nobody reads them otherwise, as behind the concatenation in a U-Net, they are one set here. If others do, as in a
 * dense block, or where groups are spread, noise stands before they are joined or spread.
 */
export function placesOf(graph: OpGraph, sets: GroupSets): ReadonlyMap<GroupSet, readonly Place[]> {
  const { ops } = graph;
  const joined = joinedSets(graph, sets);
  const places = new Map<GroupSet, Map<Value, Place>>();
  const seen = new Set<string>();
  const look = (value: Value, reading: Reading): void => {
    const edge = `${ops.indexOf(reading.op)} ${reading.input}`;
    if (seen.has(edge)) return;
    seen.add(edge);
    const set = sets.of(value) ?? joined(value);
    if (set) {
      const own = places.get(set) ?? new Map<Value, Place>();
      places.set(set, own);
      const place = own.get(value) ?? { value, readings: [] };
      own.set(value, place);
      place.readings.push(reading);
      return;
    }
    for (const [input, from] of passedTo(value)) look(from, { op: value.maker!, input });
  };
  for (const { value, reading } of readingsOf(graph)) look(value, reading);
  return new Map([...places].map(([set, own]) => [set, [...own.values()]]));
}

/** What is read by the rows of a kernel. */
export function readingsOf({ ops }: OpGraph): { value: Value; reading: Reading }[] {
  return ops.flatMap((op) =>
    op.ways.flatMap(({ kind }, input) =>
      kind === 'rows' ? [{ value: op.inputs[input]!, reading: { op, input } }] : [],
    ),
  );
}

/** The values that a value's groups come from, by the inputs of what passes them on. */
function passedTo({ maker }: Value): [input: number, value: Value][] {
  return (maker?.ways ?? []).flatMap(({ kind }, input): [number, Value][] =>
    kind === 'passed' ? [[input, maker!.inputs[input]!]] : [],
  );
}

/** The sets in a value that has several, as one set, if every reader of any of them has it from that value, or from one of the same groups. */
function joinedSets(graph: OpGraph, sets: GroupSets): (value: Value) => GroupSet | undefined {
  const made = new Map<string, GroupSet | undefined>();
  const members = membersOf(sets);
  const waysTo = new Map<GroupSet, Set<string>[]>();
  const follow = (value: Value, before: readonly string[]): void => {
    const set = sets.of(value);
    const way = [...before, sets.keyOf(value)];
    if (set) waysTo.set(set, [...(waysTo.get(set) ?? []), new Set(way)]);
    else for (const [, from] of passedTo(value)) follow(from, way);
  };
  for (const { value } of readingsOf(graph)) follow(value, []);
  const join = (value: Value): GroupSet | undefined => {
    const parts = [...members(value)];
    const key = sets.keyOf(value);
    const canGo = parts.every(
      (part) => part.fixedBy === undefined && waysTo.get(part)?.every((way) => way.has(key)),
    );
    const groups = parts.reduce((sum, part) => sum + part.groups, 0);
    if (parts.length < 2 || groups !== value.groups || !canGo || !sets.isDistinct(value)) return undefined;
    const all = <K extends 'makers' | 'readers' | 'passing'>(list: K) => [
      ...new Set(parts.flatMap((part) => part[list])),
    ];
    return {
      groups,
      makers: all('makers'),
      readers: all('readers'),
      passing: all('passing'),
      fixedBy: undefined,
    };
  };
  return (value) => {
    const key = sets.keyOf(value);
    if (!made.has(key)) made.set(key, join(value));
    return made.get(key);
  };
}

/** The sets that a value's groups belong to. */
function membersOf(sets: GroupSets): (value: Value) => ReadonlySet<GroupSet> {
  const known = new Map<Value, ReadonlySet<GroupSet>>();
  const members = (value: Value): ReadonlySet<GroupSet> => {
    let found = known.get(value);
    if (!found) {
      const set = sets.of(value);
      found = new Set(set ? [set] : passedTo(value).flatMap(([, from]) => [...members(from)]));
      known.set(value, found);
    }
    return found;
  };
  return members;
}
