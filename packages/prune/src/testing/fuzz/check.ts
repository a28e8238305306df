import * as tf from '@tensorflow/tfjs';
import type { PruneReport } from '../../index.js';
import { difference, fill, layersOf, randomInputs } from '../fill.js';
import { buildGraph } from '../graphs/build.js';
import type { GraphSpec } from '../graphs/spec.js';
import { onnxDifference } from '../onnx.js';
import { allNoises, drown } from './drown.js';
import { refusalOf } from './refusals.js';
import { stockClasses } from './stock-classes.js';

/** What is tried: the functions of the package, or others in a test of the tests. */
export interface Surgery {
  readonly withNoise: (
    model: tf.LayersModel,
    options?: { at?: (layer: tf.layers.Layer) => boolean },
  ) => tf.LayersModel;
  readonly foldNoise: (model: tf.LayersModel) => tf.LayersModel;
  readonly pruneModel: (
    model: tf.LayersModel,
    options?: { gather?: boolean },
  ) => { model: tf.LayersModel; report: PruneReport };
  /** Left out: ONNX Runtime is not asked. */
  readonly exportOnnx?: (model: tf.LayersModel) => Uint8Array;
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

/** A wrong answer: what was found, to be shown with the graph. */
export class Wrong extends Error {
  override readonly name = 'Wrong';
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

const said = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.message}\n${where(error)}` : String(error);
/** The first places of ours in a stack. */
const where = ({ stack = '' }: Error) =>
  stack
    .split('\n')
    .filter((line) => /packages\//.test(line) && !/node_modules/.test(line))
    .slice(0, 4)
    .join('\n');

/** The two models give the same on random inputs. */
function expectSameOutputs(
  what: string,
  expected: tf.LayersModel,
  found: tf.LayersModel,
  seed: number,
  tolerance: number,
): void {
  let far: number;
  try {
    far = difference(expected, found, seed);
  } catch (error) {
    throw new Wrong(`${what}: what it made can't predict: ${said(error)}`, { cause: error });
  }
  expectClose(what, far, tolerance);
}

function expectClose(what: string, found: number, tolerance: number): void {
  if (!(found <= tolerance)) throw new Wrong(`${what}: outputs differ by ${found}, more than ${tolerance}`);
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Wrong(`${what}: ${a}, expected ${b}`);
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
  try {
    if (noise === 'added') {
      // A model without noise is left as it is.
      const same = attempt(refused, 'pruneModel without noise', () => surgery.pruneModel(given));
      if (same) {
        expectSameOutputs('pruneModel without noise', given, same.model, seed, 1e-5);
        const { before, after } = same.report;
        // What a nested model computes for nobody goes.
        if (after.macs > before.macs) throw new Wrong(`more MACs without noise than before`);
        discard(same.model);
      }
    }
    const before = numbersOf(given);
    const options = at === 'all' ? {} : { at: ({ name }: tf.layers.Layer) => name.length % 2 === 1 };
    const noisy =
      noise === 'own' ? given : keep(attempt(refused, 'withNoise', () => surgery.withNoise(given, options)));
    if (!noisy) return nothing;
    if (noise === 'added') {
      expectPorts('withNoise', noisy, given);
      expectSame('weights of the model that withNoise was given', numbersOf(given), before);
      expectSameOutputs('withNoise', given, noisy, seed, 1e-5);
      if (trains(given, seed) === undefined) expectTrains(noisy, seed);
      fill(noisy, seed);
    }
    drown(noisy, seed, share);
    const weights = numbersOf(noisy);
    const tensors = tf.memory().numTensors;

    const folded = attempt(refused, 'foldNoise', () => surgery.foldNoise(noisy));
    if (folded) {
      expectPorts('foldNoise', folded, noisy);
      expectStock('foldNoise', folded);
      expectSameOutputs('foldNoise', noisy, folded, seed, 1e-4);
      discard(folded);
    }
    const result = attempt(refused, 'pruneModel', () => surgery.pruneModel(noisy, { gather }));
    if (!result) return nothing;
    const { model: pruned, report } = result;
    expectPorts('pruneModel', pruned, noisy);
    expectStock('pruneModel', pruned);
    expectSameOutputs('pruneModel', noisy, pruned, seed, 1e-4);
    expectReport(surgery, noise === 'added' ? given : undefined, pruned, report);
    expectWidths(noisy, pruned, report);
    if (seed % 4 === 0) await expectReloads(noisy, pruned, seed);
    const bytes = attempt(refused, 'exportOnnx', () => surgery.exportOnnx?.(pruned));
    if (bytes) expectClose('exportOnnx', await differenceOf(pruned, bytes, seed), 1e-4);
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
  }
}

async function differenceOf(model: tf.LayersModel, bytes: Uint8Array, seed: number): Promise<number> {
  try {
    return await onnxDifference(model, bytes, seed);
  } catch (error) {
    throw new Wrong(`ONNX Runtime threw ${said(error)}`, { cause: error });
  }
}

const numbersOf = (model: tf.LayersModel) =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Frees a model's weights; its own `dispose` leaves those of layers that are used twice. */
function discard(model: tf.LayersModel): void {
  for (const weight of new Set(layersOf(model).flatMap((layer) => layer.weights))) weight.dispose();
}

/** The same inputs and outputs, by name, shape and type. */
function expectPorts(what: string, found: tf.LayersModel, expected: tf.LayersModel): void {
  const ports = (model: tf.LayersModel) => ({
    inputs: model.inputs.map(({ shape, dtype }, i) => [model.inputNames[i], shape, dtype]),
    outputs: model.outputs.map(({ shape }, i) => [model.outputNames[i], shape]),
  });
  expectSame(`${what}: inputs and outputs`, ports(found), ports(expected));
}

/** Nothing of ours is left that a reader of the model would need. */
function expectStock(what: string, model: tf.LayersModel): void {
  if (allNoises(model).length > 0) throw new Wrong(`${what} leaves noise in the model`);
  for (const layer of layersOf(model)) {
    const names = JSON.stringify(layer.getConfig()).match(/"class_?[nN]ame":"\w+"/g) ?? [];
    for (const name of [layer.getClassName(), ...names.map((text) => text.split('"').at(-2)!)])
      if (!stockClasses.has(name)) throw new Wrong(`${what} leaves ${name} in the model, at '${layer.name}'`);
  }
}

/** The report says what was done. */
function expectReport(
  { countFlops }: Surgery,
  given: tf.LayersModel | undefined,
  pruned: tf.LayersModel,
  { layers, widths, before, after }: PruneReport,
): void {
  const cost = ({ macs, params }: { macs: number; params: number }) => ({ macs, params });
  expectSame('report.after', after, cost(countFlops(pruned)));
  // What a nested model computes for nobody counts in the model, and not in the report.
  if (given && !(before.macs <= countFlops(given).macs))
    throw new Wrong(`report.before: ${before.macs} MACs, expected ${countFlops(given).macs}`);
  if (after.macs > before.macs)
    throw new Wrong(`more MACs after than before: ${after.macs} > ${before.macs}`);
  expectSame(
    'report.widths',
    widths,
    layers.map(({ kept }) => kept),
  );
  for (const { name, groups, above, kept, present, notes } of layers) {
    const counts = `'${name}': groups ${groups}, present ${present}, kept ${kept}, above ${above}`;
    if (!(kept > 0 && kept <= present && present <= groups && above <= groups))
      throw new Wrong(`report of ${counts}`);
    if (kept > above && notes.length === 0)
      throw new Wrong(`report says nothing of groups that stayed though at 0: ${counts}`);
  }
}

/** A layer's channels or units, where it has them on its last axis. */
function widthOf(layer: tf.layers.Layer | undefined): number | undefined {
  if (!layer || !/Conv|Dense/.test(layer.getClassName()) || layer.getConfig().dataFormat === 'channelsFirst')
    return undefined;
  return (layer.getOutputAt(0) as tf.SymbolicTensor).shape.at(-1)!;
}

/** The layers that make the groups have as many as the report says. */
function expectWidths(noisy: tf.LayersModel, pruned: tf.LayersModel, { layers }: PruneReport): void {
  const find = (model: tf.LayersModel, wanted: string) => layersOf(model).find(({ name }) => name === wanted);
  for (const { name, groups, present } of layers) {
    // Noise that was added is named after the first layer that makes its groups.
    const maker = name.replace(/_noise$/, '');
    if (widthOf(find(noisy, maker)) !== groups) continue;
    const width = widthOf(find(pruned, maker));
    if (width !== undefined && width !== present)
      throw new Wrong(`report says ${present} groups of '${name}' are there, but '${maker}' has ${width}`);
  }
}

/** Why a model computes no numbers while training, if it doesn't: some of tfjs's layers have faults of their own there. */
function trains(model: tf.LayersModel, seed: number): string | undefined {
  const inputs = randomInputs(model, seed);
  try {
    return tf.tidy(() => {
      const outputs = model.apply(inputs.length === 1 ? inputs[0]! : inputs, { training: true });
      const areNumbers = ([outputs].flat() as tf.Tensor[]).every(
        (y) => y.isFinite().all().dataSync()[0] === 1,
      );
      return areNumbers ? undefined : 'gives no numbers while training';
    });
  } catch (error) {
    return said(error);
  } finally {
    tf.dispose(inputs);
  }
}

function expectTrains(model: tf.LayersModel, seed: number): void {
  const fault = trains(model, seed);
  if (fault !== undefined) throw new Wrong(`withNoise: what it made can't be trained: ${fault}`);
}

/** A model as it comes back from its file. */
async function reloaded(model: tf.LayersModel): Promise<tf.LayersModel> {
  let saved!: tf.io.ModelArtifacts;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const { weightData, ...rest } = saved;
  return tf.loadLayersModel(tf.io.fromMemory({ ...JSON.parse(JSON.stringify(rest)), weightData }));
}

/** The cut model comes back from its file as it was, if the model that was cut does: tfjs has layers that do not. */
async function expectReloads(noisy: tf.LayersModel, pruned: tf.LayersModel, seed: number): Promise<void> {
  const far = async (model: tf.LayersModel) => {
    const copy = await reloaded(model);
    try {
      return difference(model, copy, seed);
    } finally {
      discard(copy);
    }
  };
  const orError = (model: tf.LayersModel) => far(model).catch(said);
  const found = await orError(pruned);
  if (typeof found === 'number' && found < 1e-6) return;
  const expected = await orError(noisy);
  if (typeof expected === 'number' && expected < 1e-6)
    throw new Wrong(`what pruneModel made does not come back from its file: ${found}`);
}
