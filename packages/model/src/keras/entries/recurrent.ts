import type { FileWeight, Json } from '../../files/model-file.js';
import type { Tensor } from '../build/tensor.js';
import { flag, kept, number, numbers } from '../saying/config.js';
import type { Entries, Entry, LayerUse, Part } from '../saying/entry.js';
import { ownMask, zeroMasked } from '../saying/masks.js';
import { isObject, type JsonObject, quoted } from '../topology/json.js';

const cellTraining = [
  'kernel_initializer',
  'recurrent_initializer',
  'bias_initializer',
  'kernel_regularizer',
  'recurrent_regularizer',
  'bias_regularizer',
  'kernel_constraint',
  'recurrent_constraint',
  'bias_constraint',
];
// No output depends on the last four: how it is computed, and dropout, which acts in training.
const cellFields = [
  'units',
  'activation',
  'use_bias',
  ...cellTraining,
  'implementation',
  'dropout',
  'recurrent_dropout',
  'seed',
];
const rnnFields = [
  'return_sequences',
  'return_state',
  'go_backwards',
  'stateful',
  'unroll',
  'use_cudnn',
  'input_length',
  'input_dim',
  'zero_output_for_mask',
];
const rnnKept = ['return_sequences', 'return_state', 'go_backwards', 'stateful'];

/** What is known of a kind of cell: tfjs's name for it, and the fields beside those of every cell. */
interface Cell {
  readonly className: (config: JsonObject) => string;
  readonly fields: readonly string[];
}

const cells: Readonly<Record<string, Cell>> = {
  SimpleRNN: { className: () => 'SimpleRNN', fields: [] },
  LSTM: { className: () => 'LSTM', fields: ['recurrent_activation', 'unit_forget_bias'] },
  GRU: {
    className: ({ reset_after: after }) => (after === true ? 'GeneralGRU' : 'GRU'),
    fields: ['recurrent_activation', 'reset_after'],
  },
};

/** A cell as tfjs has it. */
function cellConfig(use: LayerUse, cell: Cell): JsonObject {
  const after = { reset_after: use.config.reset_after === true };
  return {
    ...kept(use, [
      'units',
      'activation',
      'use_bias',
      'dropout',
      'recurrent_dropout',
      ...cellTraining,
      ...cell.fields,
    ]),
    ...(cell.fields.includes('reset_after') && after),
  };
}

const cellWeights = (use: LayerUse, at: Part, useBias: boolean) =>
  use.weights(['kernel', 'recurrent_kernel', useBias && 'bias'], at);

function rnnConfig(use: LayerUse): JsonObject {
  return { ...kept(use, rnnKept), unroll: false };
}

/** Its sequence, then the states that it starts with. */
function fed(use: LayerUse): readonly Tensor[] {
  const states = use.call.kwargs.initial_state;
  const list = states && 'list' in states ? states.list : states ? [states] : [];
  const tensors = list.map((state) => use.tensor(state)).filter((tensor) => tensor !== undefined);
  return ownMask(use, [...use.inputs, ...tensors]);
}

/** Whether a mask comes with its output. */
function masked(use: LayerUse): boolean {
  const isMasked = use.masks || use.inputs[0]!.masked;
  return isMasked && use.config.return_sequences === true;
}

function recurrent(cell: Cell): Entry {
  return {
    fields: [...cellFields, ...rnnFields, ...cell.fields],
    takes: ['initial_state'],
    say: (use) => {
      const outputs = use.add(
        cell.className(use.config),
        { ...cellConfig(use, cell), ...rnnConfig(use) },
        {
          on: fed(use),
          weights: cellWeights(use, { store: 'cell', names: [] }, flag(use, 'use_bias', true)),
          masked: masked(use),
        },
      );
      return zeroes(use) ? zeroMasked(use, outputs) : outputs;
    },
  };
}

function zeroes({ config, inputs }: LayerUse): boolean {
  return config.zero_output_for_mask === true && config.return_sequences === true && inputs[0]!.masked;
}

/** `RNN` around one cell, or several. */
function rnn(use: LayerUse): readonly Tensor[] {
  const { cell } = use.config;
  const stacked =
    isObject(cell) && cell.class_name === 'StackedRNNCells' && isObject(cell.config)
      ? cell.config.cells
      : undefined;
  const list = Array.isArray(cell) ? cell : Array.isArray(stacked) ? stacked : [cell];
  const isStack = list.length > 1 || stacked !== undefined;
  const counts = new Map<string, number>();
  const made = list.map((item, i) => oneCell(use, item, i, isStack, counts));
  const weights = Object.assign({}, ...made.map(({ weights }) => weights)) as Record<string, FileWeight>;
  const configs = made.map(({ cell }) => cell);
  const all: Json = isStack ? { class_name: 'StackedRNNCells', config: { cells: configs } } : configs[0]!;
  return use.add('RNN', { ...rnnConfig(use), cell: all }, { on: fed(use), weights, masked: masked(use) });
}

function oneCell(
  use: LayerUse,
  item: Json | undefined,
  index: number,
  isStack: boolean,
  counts: Map<string, number>,
): { cell: JsonObject; weights: Record<string, FileWeight> } {
  const className = isObject(item) && typeof item.class_name === 'string' ? item.class_name : '';
  const kind = className.replace(/Cell$/, '');
  const cell = className.endsWith('Cell') && Object.hasOwn(cells, kind) ? cells[kind]! : undefined;
  const config = isObject(item) && isObject(item.config) ? item.config : {};
  if (!cell)
    return use.fail(
      `its cell is ${quoted(className || item)}; only LSTMCell, GRUCell and SimpleRNNCell can be read`,
    );
  const snake = { SimpleRNN: 'simple_rnn_cell', LSTM: 'lstm_cell', GRU: 'gru_cell' }[kind]!;
  const count = counts.get(snake) ?? 0;
  counts.set(snake, count + 1);
  const name = typeof config.name === 'string' ? config.name : snake;
  const part: Part = isStack
    ? { store: `cell/cells/${count === 0 ? snake : `${snake}_${count}`}`, names: [name] }
    : { store: 'cell', names: [] };
  const inner: LayerUse = { ...use, config };
  const weights = cellWeights(use, part, flag(inner, 'use_bias', true));
  return {
    cell: { class_name: `${cell.className(config)}Cell`, config: { name, ...cellConfig(inner, cell) } },
    weights: isStack
      ? Object.fromEntries(
          Object.entries(weights).map(([key, weight]) => [`RNNCell_${index}/${key}`, weight]),
        )
      : weights,
  };
}

export const recurrentEntries: Entries = {
  SimpleRNN: recurrent(cells.SimpleRNN!),
  LSTM: recurrent(cells.LSTM!),
  GRU: recurrent(cells.GRU!),
  RNN: { fields: ['cell', ...rnnFields], takes: ['initial_state'], say: rnn },
  ConvLSTM2D: {
    fields: [
      'filters',
      'kernel_size',
      'strides',
      'padding',
      'data_format',
      'dilation_rate',
      'recurrent_activation',
      'unit_forget_bias',
      ...cellFields,
      ...rnnFields,
    ],
    say: (use) =>
      use.add(
        'ConvLSTM2D',
        {
          ...kept(use, [
            'padding',
            'data_format',
            'activation',
            'recurrent_activation',
            'use_bias',
            'unit_forget_bias',
            ...cellTraining,
          ]),
          filters: number(use, 'filters'),
          kernel_size: numbers(use, 'kernel_size', 2),
          strides: numbers(use, 'strides', 2, 1),
          dilation_rate: numbers(use, 'dilation_rate', 2, 1),
          ...rnnConfig(use),
        },
        {
          on: ownMask(use),
          weights: cellWeights(use, { store: 'cell', names: [] }, flag(use, 'use_bias', true)),
          masked: masked(use),
        },
      ),
  },
};
