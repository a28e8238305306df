import fc from 'fast-check';
import { ours } from './our-step-specs.js';
import type { EndSpec, GraphSpec, InputSpec, StepSpec } from './spec.js';
import {
  activation,
  batchNorm,
  blocks2d,
  channelsFirst,
  conv2d,
  dense,
  depthwise,
  distributed,
  elementwise,
  feedForward,
  joins,
  method,
  noise,
  one,
  poolOf,
  rearranged,
  sequences,
  spatial,
  step,
  strides,
  upTo,
  upwards2d,
  useBias,
  volumes,
  type Weighted,
  weighted,
  whole,
  width,
} from './step-specs.js';

const anywhere: Weighted<StepSpec>[] = [
  [2, ours[0]!],
  [6, batchNorm],
  [4, noise],
  [4, elementwise],
  [1, whole],
  [2, rearranged],
  [12, joins],
  [2, distributed],
  [2, feedForward],
];
const images: Weighted<StepSpec>[] = [
  [4, ours[3]!],
  [14, conv2d],
  [6, depthwise],
  [2, upwards2d],
  [6, poolOf(2)],
  [4, spatial],
  [2, dense],
  [18, blocks2d],
  ...anywhere,
];
const vectors: Weighted<StepSpec>[] = [[14, dense], [2, step('repeatVector', { n: upTo(3) })], ...anywhere];

/** A model in the model, of a few steps. */
const nestedOf = (steps: fc.Arbitrary<StepSpec>) =>
  step('nested', {
    steps: fc.array(steps, { minLength: 1, maxLength: 4, size: 'max' }),
    sequential: fc.boolean(),
    frozen: fc.boolean(),
    outputs: one(1, 1, 1, 2),
    ownNames: fc.boolean(),
  });
/** Steps and, now and then, nested models of such steps, of which some hold others. */
function withNested(entries: readonly Weighted<StepSpec>[]): fc.Arbitrary<StepSpec> {
  const plain = weighted(...entries);
  const inside = weighted([8, plain], [1, nestedOf(plain)]);
  const total = entries.reduce((sum, [weight]) => sum + weight, 0);
  return weighted([total * 20, plain], [total, nestedOf(inside)]);
}

const toVectors = fc.oneof(
  step('flatten'),
  step('reshape', { into: one('vector') }),
  step('globalAveragePooling1d'),
  step('globalMaxPooling1d'),
  step('globalAveragePooling2d', { dataFormat: channelsFirst }),
  step('globalMaxPooling2d', { dataFormat: channelsFirst }),
);

const list = (of: fc.Arbitrary<StepSpec>, maxLength: number, minLength = 0) =>
  fc.array(of, { minLength, maxLength, size: 'max' });
const input = (...shapes: number[][]) => one(...shapes).map((shape): InputSpec => ({ shape }));
const words = one(4, 5, 6).map((length): InputSpec => ({ shape: [length], words: 9 }));
const pictures = input([6, 6, 2], [5, 5, 2], [6, 4, 3], [4, 4, 3], [8, 8, 1]);
const series = fc.oneof(input([6, 4], [5, 3]), words);
const numbers = input([7], [4], [12]);

const end: fc.Arbitrary<EndSpec> = fc.record({
  outputs: weighted([6, fc.constant(1)], [2, fc.constant(2)], [1, fc.constant(3)]),
  rest: one('concatenate', 'add', 'drop', 'drop'),
  flatten: one(false, false, true),
  bare: weighted([11, fc.constant(false)], [1, fc.constant(true)]),
  softmax: fc.boolean(),
});

const wide = upTo(8, 5);
/** A convolution for the beginning. */
const widening = (kind: string, config: Record<string, fc.Arbitrary<unknown>>) =>
  step(kind, { ...config, filters: wide, padding: one('same'), activation, useBias, method });

/** Any layers in any order, behind inputs of one kind with a layer each that makes it wider, and now and then an input of another kind. */
const anything = (
  main: fc.Arbitrary<InputSpec>,
  stem: fc.Arbitrary<StepSpec>,
  steps: readonly Weighted<StepSpec>[],
  longest = 12,
): fc.Arbitrary<GraphSpec> =>
  fc
    .record({
      main: fc.array(fc.tuple(main, stem), { minLength: 1, maxLength: 2 }),
      other: weighted<InputSpec | undefined>(
        [11, fc.constant(undefined)],
        [1, fc.oneof(pictures, series, numbers)],
      ),
      before: list(withNested(steps), longest, 1),
      flat: toVectors,
      after: list(withNested(vectors), 5),
      end,
    })
    .map(({ main, other, before, flat, after, end }) => {
      const inputs = main.map(([input]) => input);
      // Of the inputs and what the stems have made so far, each stem's own input is so many places back.
      const stems = main.map(([, [kind, config]]): StepSpec => [kind, config, main.length - 1]);
      return {
        inputs: other ? [...inputs, other] : inputs,
        steps: [...stems, ...before, flat, ...after],
        end,
      };
    });

/** Nets as people write them: a stem, blocks of one family or of several, a head. */
const people: fc.Arbitrary<GraphSpec> = fc
  .record({
    picture: pictures,
    stem: step('conv2d', { filters: upTo(8, 4), kernelSize: one(3), strides, padding: one('same'), method }),
    blocks: list(
      withNested([
        [12, blocks2d],
        [1, joins],
        [1, noise],
        [1, elementwise],
      ]),
      6,
      2,
    ),
    pooled: one('globalAveragePooling2d', 'flatten', 'globalMaxPooling2d'),
    after: list(fc.oneof(dense, noise), 2),
    end,
  })
  .map(({ picture, stem, blocks, pooled, after, end }) => ({
    inputs: [picture],
    steps: [stem, ...blocks, [pooled, {}, 0], ...after],
    end,
  }));

/** Two inputs of one shape through one model, and what comes out compared. */
const siamese: fc.Arbitrary<GraphSpec> = fc
  .record({
    twin: fc.oneof(
      fc.tuple(pictures, list(fc.oneof(conv2d, blocks2d, poolOf(2), batchNorm), 4, 1)),
      fc.tuple(series, list(sequences, 3, 1)),
    ),
    flat: toVectors,
    units: width,
    frozen: fc.boolean(),
    join: one<StepSpec>(
      ['join', { op: 'multiply' }, 0, 0],
      ['join', { op: 'maximum' }, 0, 0],
      ['concatenate', { axis: 0 }, 0, 0],
      ['dot', { normalize: true }, 0, 0],
    ),
    after: list(fc.oneof(dense, noise, batchNorm), 3),
    end,
  })
  .map(({ twin: [input, inside], flat, units, frozen, join, after, end }) => {
    const steps = [...inside, flat, ['dense', { units, activation: 'relu', method: 'noise' }, 0]];
    const model: StepSpec = ['nested', { steps, sequential: false, frozen, outputs: 1, ownNames: true }, 0];
    return { inputs: [input, input], steps: [model, ['again', {}, 0, 0], join, ...after], end };
  });

/** Random models of everything that the surgery is to know, data first. */
export const graphSpecs: fc.Arbitrary<GraphSpec> = weighted(
  [8, anything(pictures, widening('conv2d', { kernelSize: one(1, 1, 3) }), images)],
  [8, people],
  [
    3,
    anything(series, widening('conv1d', { kernelSize: one(1, 2) }), [
      ...anywhere,
      [40, sequences],
      [5, ours[2]!],
    ]),
  ],
  [2, anything(numbers, step('dense', { units: wide, activation, method }), vectors)],
  [
    1,
    anything(
      input([3, 4, 4, 2], [2, 4, 4, 3]),
      widening('conv3d', { kernelSize: one(1, 2) }),
      [...anywhere, [40, volumes], [5, ours[4]!]],
      6,
    ),
  ],
  [1, siamese],
);
