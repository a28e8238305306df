import type { Dataset } from '@sbp/data';
import { type AdamState, type CompiledWithState, compile } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import type { ResolvedTrainConfig } from '../config.js';
import { readWeights, type Slot, type TrainedSlot, writeWeights } from '../step/layout.js';
import { type StepFunction, stepFunction } from '../step/step.js';
import type { StepInput } from '../step/step-input.js';
import { optimizerOf } from '../update/optimizers.js';
import { weightDecayOf } from '../update/pace.js';
import { type EpochPart, type EpochSums, runEpoch, stepsTaken, type TrainStep } from './epoch.js';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';
import { type Workplace, workplace } from './workplace.js';

interface State {
  /** By trainable weight, in the order of their slots. */
  trained: AdamState[];
  /** Of all weights that change, trained or not, in the order of their slots; none where the config has none. */
  averages: tf.Tensor[];
}
/** The step's pace: rate and ε̂ for weights and noise, decoupled decay, L2's factor, part in the average: [7]. */
type Pace = tf.Tensor1D;
type GraphStep = CompiledWithState<State, [StepInput, Pace], { metrics: tf.Tensor1D }>;

/**
 * The only replica of a run on tensorflow: its whole step, gradients and optimizer included, is one graph. Between steps weights and
 * moments stay inside the graph; at an epoch's ends they are the run's vectors.
 */
export class GraphReplica {
  private readonly place: Workplace;
  /** Weights of which there is an average. */
  private readonly averaged: Slot[];
  private readonly step: GraphStep;
  private loaded = false;
  private klScale = 1;

  constructor(
    model: tf.LayersModel,
    private readonly run: SharedRun,
  ) {
    this.place = workplace(model, run, 0);
    const { slots, trained, untrained } = this.place;
    this.averaged = run.average ? slots.filter(({ kind }) => kind !== 'frozen') : [];
    const state = this.stateAt(0);
    const step = stepFunction(model, trained, run.objective, 'tensors');
    this.step = compile(graphStep(step, trained, this.averaged, run.config), {
      state,
      variables: untrained.map(({ variable }) => variable.read() as tf.Variable),
    });
    dispose(state);
  }

  async epoch(epoch: number, part: EpochPart = {}): Promise<EpochSums> {
    this.klScale = part.klScale ?? 1;
    const before = epoch * stepsPerEpoch(this.run);
    const first = before + stepsTaken(this.run, part.from);
    this.load(first);
    const sums = await runEpoch(this.run, epoch, (indices, step) => this.trainStep(indices, step), part);
    if (sums.failedStep === undefined) this.save(before + stepsTaken(this.run, sums));
    else await this.recover(epoch, part, before + sums.failedStep - first);
    return sums;
  }

  /** {@link TrainStep}, except that the run's vectors are brought up to date by `epoch` only. */
  trainStep(indices: Uint32Array, globalStep: number): ReturnType<TrainStep> {
    if (!this.loaded) this.load(globalStep);
    const { weight, noise, lost, l2, averaged } = this.place.pace(globalStep);
    const { inputs } = this.place;
    const [loss, kl, ...measured] = tf.tidy(() => {
      const given = [weight.rate, weight.epsilon, noise.rate, noise.epsilon, lost, l2, averaged];
      const input = inputs.of(indices, globalStep, this.klScale);
      return this.step(input, tf.tensor1d(given)).metrics.dataSync<'float32'>();
    }) as unknown as [number, number];
    return Number.isFinite(loss + kl) ? { loss, kl, measured, waited: inputs.waited } : 'not finite';
  }

  evaluate(weights: Float32Array, dataset: Dataset): Promise<number[]> {
    return this.place.evaluate(weights, dataset);
  }

  dispose(): void {
    this.place.inputs.stop();
    this.step.dispose();
  }

  /**
   * Weights that gave a loss that is not finite are of no use, and those before them are gone: they come again by the same
   * steps as far as the last but one.
   */
  private async recover(epoch: number, { from }: EpochPart, taken: number): Promise<void> {
    const first = epoch * stepsPerEpoch(this.run) + stepsTaken(this.run, from);
    this.load(first);
    let left = taken - 1;
    const again: TrainStep = (indices, step) => (left-- > 0 ? this.trainStep(indices, step) : 'broken');
    await runEpoch(this.run, epoch, again, { from });
    this.save(first + taken + 1);
  }

  private load(globalStep: number): void {
    this.loaded = true;
    const state = this.stateAt(globalStep);
    this.step.setState(state);
    dispose(state);
    writeWeights(tf, this.place.untrained, this.place.weightsAt(globalStep));
  }

  private save(globalStep: number): void {
    const flat = this.place.weightsAt(globalStep);
    const { m, v, average } = this.run;
    const state = this.step.state();
    const keep = (tensor: tf.Tensor, { from }: Slot, vector: Float32Array) =>
      vector.set(tensor.dataSync<'float32'>(), from);
    state.trained.forEach(({ weights, first, second }, i) => {
      const slot = this.place.trained[i] as TrainedSlot;
      keep(weights, slot, flat);
      keep(first, slot, m);
      keep(second, slot, v);
    });
    state.averages.forEach((mean, i) => {
      keep(mean, this.averaged[i] as Slot, average as Float32Array);
    });
    dispose(state);
    readWeights(this.place.untrained, flat);
  }

  private stateAt(globalStep: number): State {
    const { m, v, average } = this.run;
    const tensorOf = (flat: Float32Array, { from, to, shape }: Slot) =>
      tf.tensor(flat.slice(from, to), shape);
    return {
      trained: this.place.trained.map((slot) => ({
        weights: tensorOf(this.place.weightsAt(globalStep), slot),
        first: tensorOf(m, slot),
        second: tensorOf(v, slot),
      })),
      averages: this.averaged.map((slot) => tensorOf(average as Float32Array, slot)),
    };
  }
}

function dispose({ trained, averages }: State): void {
  for (const { weights, first, second } of trained) tf.dispose([weights, first, second]);
  tf.dispose(averages);
}

function graphStep(step: StepFunction, slots: TrainedSlot[], averaged: Slot[], config: ResolvedTrainConfig) {
  const { l2, clipNorm, optimizer } = config;
  const decays = weightDecayOf(config) > 0;
  return ({ trained, averages }: State, { seed, ...batch }: StepInput, pace: Pace) => {
    const all = trained.map(({ weights }) => weights);
    const { gradients, loss, kl, measured } = step(all, batch, { seed });
    const [rate, epsilon, noiseRate, noiseEpsilon, lost, l2Factor, part] = tf.unstack(pace) as Scalars;
    const paces = { weight: { rate, epsilon }, noise: { rate: noiseRate, epsilon: noiseEpsilon } };
    const ofWeights = gradients.filter((_, i) => slots[i]?.kind === 'weight');
    const clip = clipNorm === undefined ? undefined : clipFactor(ofWeights, clipNorm);
    const next = trained.map((state, i) => {
      const { kind, kernel } = slots[i] as TrainedSlot;
      let gradient = gradients[i] as tf.Tensor;
      if (kind === 'weight' && clip) gradient = tf.mul(gradient, clip);
      if (kernel && l2 !== 0) gradient = tf.add(gradient, tf.mul(state.weights, l2Factor));
      const after = optimizerOf(kind, optimizer).stepTensors(state, gradient, paces[kind], config);
      if (!kernel || !decays) return after;
      return { ...after, weights: tf.sub(after.weights, tf.mul(state.weights, lost)) };
    });
    return {
      state: {
        trained: next,
        // trained weights come first; what the layers update themselves is updated by now
        averages: averages.map((mean, i) => {
          const value = next[i]?.weights ?? (averaged[i] as Slot).variable.read();
          return tf.add(mean, tf.mul(tf.sub(value, mean), part));
        }),
      },
      metrics: tf.concat([loss, kl, measured].map((each) => each.as1D())) as tf.Tensor1D,
    };
  };
}

type Scalars = [tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar];

/** The factor of `clipFactor` in update/clip.ts, as a tensor. */
function clipFactor(gradients: tf.Tensor[], clipNorm: number): tf.Tensor {
  const squares = tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))));
  return tf.minimum(1, tf.div(clipNorm, tf.sqrt(squares)));
}
