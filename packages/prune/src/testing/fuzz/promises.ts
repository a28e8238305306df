import { loadModel, modelFiles } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import type { PruneReport } from '../../index.js';
import { difference, layersOf, randomInputs } from '../fill.js';
import { allNoises } from './drown.js';
import { stockClasses } from './stock-classes.js';

/** A wrong answer: what was found, to be shown with the graph. */
export class Wrong extends Error {
  override readonly name = 'Wrong';
}

export const said = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.message}\n${where(error)}` : String(error);
/** The first places of ours in a stack. */
const where = ({ stack = '' }: Error) =>
  stack
    .split('\n')
    .filter((line) => /packages\//.test(line) && !/node_modules/.test(line))
    .slice(0, 4)
    .join('\n');

export function expectSame(what: string, found: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Wrong(`${what}: ${a}, expected ${b}`);
}

/** Frees a model's weights; its own `dispose` leaves those of layers that are used twice. */
export function discard(model: tf.LayersModel): void {
  for (const weight of new Set(layersOf(model).flatMap((layer) => layer.weights))) weight.dispose();
}

/** The same inputs and outputs, by name, shape and type. */
export function expectPorts(what: string, found: tf.LayersModel, expected: tf.LayersModel): void {
  const ports = (model: tf.LayersModel) => ({
    inputs: model.inputs.map(({ shape, dtype }, i) => [model.inputNames[i], shape, dtype]),
    outputs: model.outputs.map(({ shape }, i) => [model.outputNames[i], shape]),
  });
  expectSame(`${what}: inputs and outputs`, ports(found), ports(expected));
}

/** What was frozen is, and nothing else. */
export function expectFrozen(given: tf.LayersModel, noisy: tf.LayersModel): void {
  const added = allNoises(noisy).length * 2;
  // What a nested model computes for nobody is gone.
  if (noisy.weights.length - added !== given.weights.length) return;
  expectSame(
    'withNoise: trainable weights without those of the noise',
    noisy.trainableWeights.length - added,
    given.trainableWeights.length,
  );
}

/** Nothing of ours is left that a reader of the model would need. */
export function expectStock(what: string, model: tf.LayersModel): void {
  if (allNoises(model).length > 0) throw new Wrong(`${what} leaves noise in the model`);
  for (const layer of layersOf(model)) {
    const names = JSON.stringify(layer.getConfig()).match(/"class_?[nN]ame":"\w+"/g) ?? [];
    for (const name of [layer.getClassName(), ...names.map((text) => text.split('"').at(-2)!)])
      if (!stockClasses.has(name)) throw new Wrong(`${what} leaves ${name} in the model, at '${layer.name}'`);
  }
}

/** The report says what was done. */
export function expectReport(
  countFlops: (model: tf.LayersModel) => { macs: number; params: number },
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
export function expectWidths(noisy: tf.LayersModel, pruned: tf.LayersModel, { layers }: PruneReport): void {
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
export function trains(model: tf.LayersModel, seed: number): string | undefined {
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

export function expectTrains(model: tf.LayersModel, seed: number): void {
  const fault = trains(model, seed);
  if (fault !== undefined) throw new Wrong(`withNoise: what it made can't be trained: ${fault}`);
}

/** A model as it comes back from its file. */
async function reloaded(model: tf.LayersModel): Promise<tf.LayersModel> {
  const files = Object.entries(await modelFiles(model));
  return loadModel(files.map(([name, bytes]) => new File([Buffer.from(bytes)], name)));
}

/** Models come back from their files as they were, if the one that they were made from does: tfjs has layers that do not. */
export async function expectReloads(
  given: tf.LayersModel,
  made: readonly tf.LayersModel[],
  seed: number,
): Promise<void> {
  const far = async (model: tf.LayersModel) => {
    const copy = await reloaded(model);
    try {
      return difference(model, copy, seed);
    } finally {
      discard(copy);
    }
  };
  const comesBack = async (model: tf.LayersModel) => {
    const found = await far(model).catch(said);
    return typeof found === 'number' && found < 1e-6 ? undefined : found;
  };
  for (const model of made) {
    const found = await comesBack(model);
    if (found !== undefined && (await comesBack(given)) === undefined)
      throw new Wrong(
        `a model of ${allNoises(model).length > 0 ? 'withNoise' : 'pruneModel'} does not come back from its file: ${found}`,
      );
  }
}
