import type * as tf from '@tensorflow/tfjs';
import { type ChannelSet, channelSets } from './channel-sets.js';
import { PruneError } from './errors.js';
import { readSteps } from './read-steps.js';
import type { Step } from './steps.js';
import { assemble } from './surgery.js';

/**
 * ONNX Runtime has fast kernels for convolutions, batch norm and ReLU included, where the number of channels they make is a multiple of this (NchwcTransformer
 * in its sources). Pruned networks have any number.
 */
const MULTIPLE = 4;

/**
 * Those kernels work in blocks of 8 or 16 channels, so few channels are better off without: `npm run bench:channels`. From here on they
 * were 0.99 to 1.62 times as fast with blocks of 16.
 */
const FEWEST = 24;

/** What stands in a list of channels for one that the model does not have. */
const PADDING = -1;

/**
 * The model with channels added to each convolution of 24 or more until their number is a multiple of four; their weights, and those of what reads
 * them, are 0, so that it computes the same. A model that is not one path of layers is handed back as it is.
 *
 * @param fewest convolutions of fewer channels stay as they are
 */
export function withPaddedChannels(model: tf.LayersModel, fewest = FEWEST): tf.LayersModel {
  const steps = stepsOf(model);
  const sets = steps && channelSets(steps).filter((set) => missing(steps, set, fewest) > 0);
  if (!sets?.length) return model;
  for (const set of sets) pad(steps!, set);
  return assemble(model, steps!);
}

/** Undefined where the surgery can't take the model apart, or would take noise out of it. */
function stepsOf(model: tf.LayersModel): Step[] | undefined {
  try {
    // a threshold of 0, so that group lasso, too, leaves every weight as it is
    const steps = readSteps(model, 0);
    return steps.some(({ noise, noiseParams }) => noise || noiseParams) ? undefined : steps;
  } catch (error) {
    if (error instanceof PruneError) return undefined;
    throw error;
  }
}

/** How many channels a set lacks. */
function missing(steps: readonly Step[], { maker, reader }: ChannelSet, fewest = 0): number {
  const { linear, outShape } = steps[maker]!;
  const channels = outShape.at(-1)!;
  const isConvolution = linear && outShape.length === 3;
  if (!isConvolution || channels < fewest || reader === undefined || !steps[reader]!.linear) return 0;
  return -channels & (MULTIPLE - 1);
}

function pad(steps: readonly Step[], set: ChannelSet): void {
  const { outShape, keepOut } = steps[set.maker]!;
  let channels = Array.from({ length: outShape.at(-1)! }, (_, i) => i);
  channels.push(...Array<number>(missing(steps, set)).fill(PADDING));
  keepOut?.(channels);
  for (const i of set.path) {
    steps[i]!.keepIn?.(channels);
    channels = after(steps[i]!, channels);
    steps[i]!.keepOut?.(channels);
  }
  steps[set.reader!]!.keepIn?.(channels);
}

/** The channels that a step makes of these. */
function after({ inShape, outShape }: Step, channels: readonly number[]): number[] {
  const before = inShape.at(-1)!;
  const each = outShape.at(-1)! / before;
  const isFlatten = inShape.length > 1 && outShape.length === 1;
  const copies = Array.from({ length: each }, (_, copy) => copy);
  if (isFlatten)
    return copies.flatMap((position) => channels.map((c) => (c === PADDING ? c : position * before + c)));
  return channels.flatMap((c) => copies.map((copy) => (c === PADDING ? c : c * each + copy)));
}
