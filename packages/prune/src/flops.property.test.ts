import { layersOf, readGraph } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { countFlops } from './index.js';
import { buildGraph } from './testing/graphs/build.js';
import { describe as described } from './testing/graphs/describe.js';
import { graphSpecs } from './testing/graphs/graph-specs.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Shape = readonly number[];
const size = (shape: Shape) => shape.reduce((p, d) => p * d, 1);
const kernelAt = (pixels: Shape, filter: Shape) => size(pixels.slice(1, -1)) * size(filter);

/** Multiply-accumulates of the backend's kernels, from what goes in and comes out. */
const kernels: Readonly<Record<string, (inputs: Shape[], output: Shape) => number>> = {
  Conv2D: ([, filter], output) => kernelAt(output, filter!),
  FusedConv2D: ([, filter], output) => kernelAt(output, filter!),
  Conv3D: ([, filter], output) => kernelAt(output, filter!),
  DepthwiseConv2dNative: ([, filter], output) => kernelAt(output, filter!),
  FusedDepthwiseConv2D: ([, filter], output) => kernelAt(output, filter!),
  Conv2DBackpropInput: ([dy, filter]) => kernelAt(dy!, filter!),
  Conv3DBackpropInputV2: ([dy, filter]) => kernelAt(dy!, filter!),
  BatchMatMul: product,
  _FusedMatMul: product,
};

/** Either side may be transposed. */
function product([a]: Shape[], output: Shape): number {
  return (size(output) * a!.at(-1)! * a!.at(-2)!) / output.at(-2)!;
}

/** What a prediction for one example really multiplies. */
async function spent(model: tf.LayersModel): Promise<number> {
  const xs = model.inputs.map(({ shape, dtype }) => tf.ones([1, ...(shape.slice(1) as number[])], dtype));
  const { kernels: ran } = await tf.profile(() => model.predict(xs) as tf.Tensor);
  return ran.reduce(
    (sum, { name, inputShapes, outputShapes }) => sum + (kernels[name]?.(inputShapes, outputShapes[0]!) ?? 0),
    0,
  );
}

/** tfjs multiplies two vectors number by number, which no kernel of a product shows. */
function dotsOfVectors(model: tf.LayersModel): number {
  return layersOf(readGraph(model))
    .filter(({ layer }) => layer.getClassName() === 'Dot')
    .flatMap(({ uses }) => uses)
    .reduce((sum, { inputs: [a, b] }) => {
      const vectors = a!.shape.length === 1 && b!.shape.length === 1;
      return sum + (vectors ? a!.shape[0]! : 0);
    }, 0);
}

/** tfjs runs a nested model of several outputs once for each of them. */
const hasManyOutputsWithin = ({ layers }: tf.LayersModel): boolean =>
  layers.some(
    (layer) => layer instanceof tf.LayersModel && (layer.outputs.length > 1 || hasManyOutputsWithin(layer)),
  );

it('countFlops says of random graphs what the backend multiplies for them', async () => {
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(graphSpecs, fc.boolean(), async (spec, noisy) => {
      const model = buildGraph(spec, { noisy });
      fc.pre(!hasManyOutputsWithin(model));
      const { macs } = countFlops(model);
      const ran = await spent(model);
      for (const { layer } of layersOf(readGraph(model))) kinds.add(layer.getClassName());
      if (macs !== ran + dotsOfVectors(model))
        expect.fail(`${macs} counted, ${ran} multiplied\n${described(model)}`);
      for (const weight of model.weights) weight.read().dispose();
      return true;
    }),
    { numRuns: 150, seed: 7, endOnFailure: true },
  );
  const multiply = [
    'Conv1D',
    'Conv3D',
    'Conv2DTranspose',
    'SeparableConv2D',
    'DepthwiseConv2D',
    'GRU',
    'Bidirectional',
    'TimeDistributed',
    'Dot',
  ];
  expect(multiply.filter((kind) => !kinds.has(kind))).toEqual([]);
});
