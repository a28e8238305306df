/**
 * The channels of a tensor, its second axis: as somebody made them; or several tensors' one after the other; or each channel of another space several times
 * over. Spaces that an operation adds up are one. What is fixed must stay as it is.
 */
export interface Space {
  readonly size: number;
  readonly parts?: readonly Space[];
  readonly repeated?: { readonly of: Space; readonly times: number };
  /** Where it has become one with another. */
  same?: Space;
  fixed: boolean;
  /** Whether filling it up is worth something. */
  wanted: boolean;
}

/** What stands in a list of channels for one that the model does not have. */
export const PADDING = -1;

export const newSpace = (size: number, { fixed = false, wanted = false } = {}): Space => ({
  size,
  fixed,
  wanted,
});

export function joinedSpaces(parts: readonly Space[]): Space {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  return { size, parts, fixed: false, wanted: false };
}

export const repeatedSpace = (of: Space, times: number): Space =>
  times === 1 ? of : { size: of.size * times, repeated: { of, times }, fixed: false, wanted: false };

/** What a space has become one with. */
export function rootOf(space: Space): Space {
  let root = space;
  while (root.same) root = root.same;
  return root;
}

const inside = (space: Space): readonly Space[] => space.parts ?? (space.repeated ? [space.repeated.of] : []);

/** The space stays as it is, and so does all that it is made of. */
export function fix(space: Space): void {
  const root = rootOf(space);
  root.fixed = true;
  for (const part of inside(root)) fix(part);
}

/** Makes two spaces one: whatever is filled up in one is in the other. */
export function unite(a: Space, b: Space): void {
  const [one, other] = [rootOf(a), rootOf(b)];
  if (one === other) return;
  const fits = one.size === other.size && !holds(one, other) && !holds(other, one);
  const isMade = inside(one).length > 0 && inside(other).length > 0;
  if (!fits || one.fixed || other.fixed || (isMade && !madeAlike(one, other))) {
    fix(one);
    fix(other);
    return;
  }
  const [from, to] = inside(one).length > 0 ? [other, one] : [one, other];
  if (isMade) {
    const parts = inside(to);
    inside(from).forEach((part, i) => {
      unite(part, parts[i]!);
    });
  }
  to.wanted ||= from.wanted;
  from.same = to;
}

const madeAlike = (a: Space, b: Space) =>
  a.repeated?.times === b.repeated?.times &&
  inside(a).length === inside(b).length &&
  inside(a).every((part, i) => part.size === inside(b)[i]!.size);

function holds(space: Space, other: Space): boolean {
  return inside(space).some((part) => rootOf(part) === other || holds(rootOf(part), other));
}

/** The channels of a space, filled up: indices of those that it had, and {@link PADDING}. */
export function channelsOf(space: Space, missing: (space: Space) => number): number[] {
  const root = rootOf(space);
  if (root.parts) {
    let start = 0;
    return root.parts.flatMap((part) => {
      const channels = channelsOf(part, missing).map((c) => (c === PADDING ? c : c + start));
      start += part.size;
      return channels;
    });
  }
  if (root.repeated) {
    const { of, times } = root.repeated;
    const copies = Array.from({ length: times }, (_, copy) => copy);
    return channelsOf(of, missing).flatMap((c) =>
      copies.map((copy) => (c === PADDING ? c : c * times + copy)),
    );
  }
  const own = Array.from({ length: root.size }, (_, i) => i);
  return [...own, ...Array<number>(root.fixed ? 0 : missing(root)).fill(PADDING)];
}
