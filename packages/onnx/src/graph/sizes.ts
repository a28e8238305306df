/** A tensor's shape without the batch; null where it is open until the model runs. */
export type Sizes = readonly (number | null)[];

export const isKnown = (sizes: Sizes): sizes is readonly number[] => sizes.every((size) => size !== null);

/** How many elements, of known sizes; NaN where one is open. */
export const countOf = (sizes: Sizes): number =>
  sizes.reduce<number>((product, size) => product * (size ?? Number.NaN), 1);

export const sameSizes = (a: Sizes, b: Sizes): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** As a person reads them. */
export const inWords = (sizes: Sizes): string => `[${sizes.map((size) => size ?? 'open').join(', ')}]`;
