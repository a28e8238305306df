import { type MacsTable, product } from './layer-use.js';

/** Layers that multiply tensors with each other and sum. */
export const joins: MacsTable = {
  Dot: ({ layer, inputs: [a], outputs: [output] }) => {
    const axes = layer.getConfig().axes as number | [number, number];
    const axis = typeof axes === 'number' ? axes : axes[0];
    // Axes count the batch, which the shapes here are without.
    return product(output!) * a!.at(axis < 0 ? axis : axis - 1)!;
  },
};
