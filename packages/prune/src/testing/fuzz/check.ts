import * as tf from '@tensorflow/tfjs';
import type { PruneReport } from '../../index.js';
import { farthest, fill, layersOf, predict, randomInputs } from '../fill.js';
import { buildGraph } from '../graphs/build.js';
import type { GraphSpec } from '../graphs/spec.js';
import { runOnnx } from '../onnx.js';
import { drown } from './drown.js';
import {
  discard,
  expectFrozen,
  expectPorts,
  expectReloads,
  expectReport,
  expectSame,
  expectStock,
  expectTrains,
  expectWidths,
  said,
  trains,
  Wrong,
} from './promises.js';
import { refusalOf } from './refusals.js';

/** What is tried: the functions of the package, or others in a test of the tests. */
export interface Surgery {
  readonly withNoise: (
    model: tf.LayersModel,
    options?: { at?: (layer: tf.layers.Layer) => boolean; gather?: boolean },
  ) => tf.LayersModel;
  readonly foldNoise: (model: tf.LayersModel) => tf.LayersModel;
  readonly pruneModel: (
    model: tf.LayersModel,
    options?: { gather?: boolean },
  ) => { model: tf.LayersModel; report: PruneReport };
  /** Left out: ONNX Runtime is not asked. */
  readonly exportOnnx?: (model: tf.LayersModel) => Uint8Array;
  /** Whether models have to come back from their files: those with a layer that is used in several places do not always, yet. */
  readonly reloads?: boolean;
  readonly countFlops: (model: tf.LayersModel) => { macs: number; params: number };
}

/** One graph and what is done to it. */
export interface Trial {
  readonly spec: GraphSpec;
  /** Of the weights, of the drowned groups and of the inputs. */
  readonly seed: number;
  /** Where the noise comes from: `withNoise` on a stock model, or the layers' own, with SparseVD and group lasso among them. */
  readonly noise: 'added' | 'own';
  /** Share of the groups that is drowned. */
  readonly share: number;
  readonly gather: boolean;
  /** Of added noise: at every set of groups, or at those of some layers only. */
  readonly at: 'all' | 'some';
}

/** How a trial went that went well. */
export interface Outcome {
  /** What was refused for a reason on the list, by the function that refused. */
  readonly refused: ReadonlyMap<string, string>;
  readonly layers: readonly string[];
  /** MACs before and after; nothing where the graph has none, or was refused. */
  readonly reduction: number | undefined;
  readonly groups: number;
  readonly removed: number;
  readonly notes: readonly string[];
}

/** Runs a step; a refusal on the list gives nothing and is noted, any other error goes on with the step's name before it. */
function attempt<T>(refused: Map<string, string>, what: string, body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    const reason = refusalOf(error);
    if (reason === undefined) throw new Wrong(`${what} threw ${said(error)}`, { cause: error });
    refused.set(what, reason);
    return undefined;
  }
}

/**
 * Tries everything that the surgery promises on one graph.
 *
 * @throws Wrong where a promise is not kept
 */
export async function check(
  surgery: Surgery,
  { spec, seed, noise, share, gather, at }: Trial,
): Promise<Outcome> {
  const refused = new Map<string, string>();
  const models: tf.LayersModel[] = [];
  const keep = <M extends tf.LayersModel | undefined>(model: M): M => {
    if (model) models.push(model);
    return model;
  };
  const given = keep(buildGraph(spec, { noisy: noise === 'own' }));
  const layers = layersOf(given).map((layer) => layer.getClassName());
  const nothing = { refused, layers, reduction: undefined, groups: 0, removed: 0, notes: [] };
  fill(given, seed);
  const inputs = randomInputs(given, seed);
  const kept = [...inputs];
  const keepTensors = (tensors: tf.Tensor[]) => {
    kept.push(...tensors);
    return tensors;
  };
  let ofGiven: tf.Tensor[] | undefined;
  const outputs = () => {
    ofGiven ??= keepTensors(predict(given, inputs));
    return ofGiven;
  };
  try {
    if (noise === 'added' && seed % 4 === 1) {
      // A model without noise is left as it is.
      const same = attempt(refused, 'pruneModel without noise', () => surgery.pruneModel(given));
      if (same) {
        const what = 'pruneModel without noise';
        expectSameOutputs(what, outputs(), outputsOf(what, same.model, inputs), 1e-5);
        const { before, after } = same.report;
        // What a nested model computes for nobody goes.
        if (after.macs > before.macs) throw new Wrong(`more MACs without noise than before`);
        discard(same.model);
      }
    }
    const before = numbersOf(given);
    const options = {
      gather,
      ...(at === 'some' && { at: ({ name }: tf.layers.Layer) => name.length % 3 > 0 }),
    };
    const noisy =
      noise === 'own' ? given : keep(attempt(refused, 'withNoise', () => surgery.withNoise(given, options)));
    if (!noisy) return nothing;
    if (noise === 'added') {
      expectPorts('withNoise', noisy, given);
      expectFrozen(given, noisy);
      expectSame('weights of the model that withNoise was given', numbersOf(given), before);
      expectSameOutputs('withNoise', outputs(), outputsOf('withNoise', noisy, inputs), 1e-5);
      if (trains(given, seed) === undefined) expectTrains(noisy, seed);
      fill(noisy, seed);
    }
    drown(noisy, seed, share);
    const weights = numbersOf(noisy);
    const expected = keepTensors(predict(noisy, inputs));
    const tensors = tf.memory().numTensors;

    const folded = attempt(refused, 'foldNoise', () => surgery.foldNoise(noisy));
    if (folded) {
      expectPorts('foldNoise', folded, noisy);
      expectStock('foldNoise', folded);
      expectSameOutputs('foldNoise', expected, outputsOf('foldNoise', folded, inputs), 1e-4);
      discard(folded);
    }
    const result = attempt(refused, 'pruneModel', () => surgery.pruneModel(noisy, { gather }));
    if (!result) return nothing;
    const { model: pruned, report } = result;
    expectPorts('pruneModel', pruned, noisy);
    expectStock('pruneModel', pruned);
    expectSameOutputs('pruneModel', expected, outputsOf('pruneModel', pruned, inputs), 1e-4);
    expectReport(surgery.countFlops, noise === 'added' ? given : undefined, pruned, report);
    // What is gathered behind a layer is less than it makes.
    if (!gather) expectWidths(noisy, pruned, report);
    if (surgery.reloads) await expectReloads(given, noise === 'added' ? [noisy, pruned] : [pruned], seed);
    const bytes = attempt(refused, 'exportOnnx', () => surgery.exportOnnx?.(pruned));
    if (bytes) expectSameOutputs('exportOnnx', expected, await onnxOutputs(pruned, bytes, inputs), 1e-4);
    discard(pruned);
    expectSame('tensors left behind', tf.memory().numTensors - tensors, 0);
    expectSame('weights of the given model', numbersOf(noisy), weights);
    const { before: cost, after } = report;
    return {
      refused,
      layers,
      reduction: cost.macs > 0 ? cost.macs / Math.max(1, after.macs) : undefined,
      groups: sum(report.layers.map(({ groups }) => groups)),
      removed: sum(report.layers.map(({ groups, present }) => groups - present)),
      notes: report.layers.flatMap(({ notes }) => notes),
    };
  } finally {
    for (const model of new Set(models)) discard(model);
    tf.dispose(kept);
  }
}

/** What a model gives for inputs of its own making. */
function outputsOf(what: string, model: tf.LayersModel, inputs: tf.Tensor[]): tf.Tensor[] {
  try {
    return predict(model, inputs);
  } catch (error) {
    throw new Wrong(`${what}: what it made can't predict: ${said(error)}`, { cause: error });
  }
}

/** The same of its ONNX file in ONNX Runtime. */
async function onnxOutputs(
  { inputNames }: tf.LayersModel,
  bytes: Uint8Array,
  inputs: tf.Tensor[],
): Promise<tf.Tensor[]> {
  try {
    const feeds = Object.fromEntries(inputNames.map((name, i) => [name, inputs[i]!]));
    const { outputs } = await runOnnx(bytes, feeds);
    return outputs.map(({ dims, data }) => tf.tensor(data, [...dims]));
  } catch (error) {
    throw new Wrong(`ONNX Runtime threw ${said(error)}`, { cause: error });
  }
}

function expectSameOutputs(
  what: string,
  expected: readonly tf.Tensor[],
  found: tf.Tensor[],
  tolerance: number,
): void {
  const far = farthest(expected, found);
  tf.dispose(found);
  if (!(far <= tolerance)) throw new Wrong(`${what}: outputs differ by ${far}, more than ${tolerance}`);
}

const numbersOf = (model: tf.LayersModel) =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
