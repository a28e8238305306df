import { type Part, type PerIndex, type Way, whole } from '../ops/op.js';
import { addRows } from '../ops/rows.js';
import { powers, readWeights, scale, take, type Weight } from '../ops/weights.js';
import type { Kind, Use } from './kind.js';

/**
 * Recurrent layers, one way or both: their kernel's rows are the input's groups. Their own units stay, as every one of them reads all.
 *
 * @param kernels places of the kernels and of their biases among the weights
 */
const recurrent =
  (
    kernels: (use: Use, weights: readonly Weight[]) => readonly [kernel: number, bias: number | undefined][],
  ): Kind =>
  (use) => {
    const axis = use.inputs[0]!.shape.length - 1;
    const state = use.shared(() => ({ weights: readWeights(use.layer) }));
    const places = kernels(use, state.weights);
    const onKernels = (change: (kernel: Weight) => Weight) => {
      for (const [at] of places) state.weights[at] = change(state.weights[at]!);
    };
    const rows: Way =
      use.inputs[0]!.axis === axis ? { kind: 'rows', padded: false } : whole('it reads along another axis');
    const hasBias = places.every(([, bias]) => bias !== undefined);
    return [
      {
        ways: use.inputs.map((_, i) => (i === 0 ? rows : whole('it is a state'))),
        outShapes: use.outShapes,
        outAxis: use.outShapes[0]!.length - 1,
        cuttable: false,
        ...(rows.kind === 'rows' && {
          scaleIn: (factors) => onKernels((kernel) => scale(kernel, -2, factors)),
        }),
        parts: state.weights.map(({ data }, at): Part => {
          const kernel = places.findIndex(([own]) => at === own);
          if (kernel >= 0 && rows.kind === 'rows') return { size: data.length, by: 'in', multiplies: true };
          const isRecurrent = places.some(([own]) => at === own + 1);
          return { size: data.length, by: 'none', multiplies: kernel >= 0 || isRecurrent };
        }),
        ...(rows.kind === 'rows' && {
          powers: (side: 'in' | 'out', p: 1 | 2) => {
            if (side === 'out') return undefined;
            const all = places.map(([at]) => powers(state.weights[at]!, -2, p));
            return all[0]!.map((_, i) => all.reduce((sum, each) => sum + each[i]!, 0));
          },
        }),
        cut: (ins) => {
          if (rows.kind === 'rows') onKernels((kernel) => take(kernel, -2, ins));
        },
        linear: {
          ...(hasBias && {
            foldConstants: (indices: readonly number[], values: PerIndex) => {
              for (const [kernel, bias] of places) {
                const { shape, data } = state.weights[bias!]!;
                // GRU with reset_after has a second row of biases, which is the recurrent kernel's
                const first = { shape, data: data.subarray(0, shape.at(-1)!) };
                addRows(state.weights[kernel]!, -2, -1, indices, values, first);
              }
            },
          }),
        },
        build: (xs) => use.apply(use.layer.getClassName(), use.config, xs, state.weights),
      },
    ];
  };

const oneWay = recurrent(({ config }) => [[0, config.useBias === false ? undefined : 2]]);
const bothWays = recurrent((_, { length }) => [
  [0, length === 6 ? 2 : undefined],
  [length / 2, length === 6 ? 5 : undefined],
]);

export const recurrentKinds: Readonly<Record<string, Kind>> = {
  SimpleRNN: oneWay,
  GRU: oneWay,
  GeneralGRU: oneWay,
  LSTM: oneWay,
  Bidirectional: bothWays,
};
