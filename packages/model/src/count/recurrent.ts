import type * as tf from '@tensorflow/tfjs';
import { type LayerUse, type MacsTable, product } from './layer-use.js';

interface Cell extends tf.layers.Layer {
  kernel: tf.LayerVariable;
  recurrentKernel: tf.LayerVariable;
}

/** One step of a cell: the input's kernel and the state's. */
function step({ layer }: LayerUse): number {
  const { kernel, recurrentKernel } = layer as Cell;
  return product(kernel.shape) + product(recurrentKernel.shape);
}

function steps({ layer, inputs: [sequence], outputs: [output], inner }: LayerUse): number {
  const { cell } = layer as tf.layers.Layer & { cell: tf.layers.Layer };
  const [length, ...each] = sequence!;
  // Of one step, or of all of them with the steps in front.
  return length! * inner(cell, [each], [output!.slice(-each.length)]);
}

/** Layers that go through steps, and their cells, which are counted for one. */
export const recurrent: MacsTable = {
  RNN: steps,
  SimpleRNN: steps,
  GRU: steps,
  GeneralGRU: steps,
  LSTM: steps,
  ConvLSTM2D: steps,
  SimpleRNNCell: step,
  GRUCell: step,
  GeneralGRUCell: step,
  LSTMCell: step,
  StackedRNNCells: ({ layer, inputs, outputs, inner }) =>
    (layer as tf.layers.Layer & { cells: tf.layers.Layer[] }).cells.reduce(
      (sum, cell) => sum + inner(cell, inputs, outputs),
      0,
    ),
  ConvLSTM2DCell: (use) => {
    const [output] = use.outputs;
    const isFirst = use.layer.getConfig().dataFormat === 'channelsFirst';
    return step(use) * product(isFirst ? output!.slice(1) : output!.slice(0, -1));
  },
};
