/** A tensor's shape without the batch. */
export type Shape = readonly number[];
