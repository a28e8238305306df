import type { Dataset } from '@sbp/data';
import { type AdamState, applyAdam, type CompiledWithState, compile } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import type { ResolvedTrainConfig } from '../config.js';
import {
  isTrained,
  readWeights,
  type Slot,
  setTrainExamples,
  type TrainedSlot,
  weightLayout,
  writeWeights,
} from '../step/layout.js';
import { type StepFunction, stepFunction } from '../step/step.js';
import { type StepInput, type StepInputs, stepInputs } from '../step/step-input.js';
import { biasCorrection } from '../update/adam.js';
import { l2Factor, stepRates } from '../update/schedule.js';
import { type EpochPart, type EpochSums, runEpoch, stepsTaken, type TrainStep } from './epoch.js';
import { measuredSums } from './evaluate.js';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';

/** By trainable weight, in the order of their slots. */
type State = AdamState[];
/** Rates for weights and noise with Adam's bias correction in them, ε̂, and L2's factor on kernels: [4]. */
type Rates = tf.Tensor1D;
type GraphStep = CompiledWithState<State, [StepInput, Rates], { metrics: tf.Tensor1D }>;

/**
 * The only replica of a run on tensorflow: its whole step, gradients and Adam included, is one graph. Between steps weights and
 * moments stay inside the graph; at an epoch's ends they are the run's vectors.
 */
export class GraphReplica {
  private readonly slots: Slot[];
  private readonly trained: TrainedSlot[];
  private readonly untrained: Slot[];
  private readonly step: GraphStep;
  private readonly inputs: StepInputs;
  private loaded = false;
  private klScale = 1;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly run: SharedRun,
  ) {
    setTrainExamples(model, run.trainExamples);
    this.slots = weightLayout(model).slots;
    this.trained = this.slots.filter(isTrained);
    this.untrained = this.slots.filter((slot) => !isTrained(slot));
    const state = this.stateAt(0);
    this.step = compile(
      graphStep(stepFunction(model, this.trained, run.objective, 'tensors'), this.trained, run.config),
      {
        state,
        variables: this.untrained.map(({ variable }) => variable.read() as tf.Variable),
      },
    );
    dispose(state);
    this.inputs = stepInputs(model, run.train, run.objective, run.config);
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
    const { config, train } = this.run;
    if (!this.loaded) this.load(globalStep);
    const steps = stepsPerEpoch(this.run);
    const rates = stepRates(config, globalStep, steps);
    const decay = l2Factor(config, globalStep, steps, train.size);
    const { correction, epsilonHat } = biasCorrection({ ...config, step: globalStep + 1 });
    const [loss, kl, ...measured] = tf.tidy(() => {
      const given = tf.tensor1d([rates.weight * correction, rates.noise * correction, epsilonHat, decay]);
      return this.step(
        this.inputs.of(indices, globalStep, this.klScale),
        given,
      ).metrics.dataSync<'float32'>();
    }) as unknown as [number, number];
    return Number.isFinite(loss + kl) ? { loss, kl, measured, waited: this.inputs.waited } : 'not finite';
  }

  evaluate(weights: Float32Array, dataset: Dataset): number[] {
    writeWeights(tf, this.slots, weights);
    const all = Uint32Array.from({ length: dataset.size }, (_, i) => i);
    return measuredSums(this.model, dataset, this.run.objective, all);
  }

  dispose(): void {
    this.inputs.stop();
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
    writeWeights(tf, this.untrained, this.weightsAt(globalStep));
  }

  private save(globalStep: number): void {
    const flat = this.weightsAt(globalStep);
    const state = this.step.state();
    state.forEach(({ weights, first, second }, i) => {
      const { from } = this.trained[i] as TrainedSlot;
      flat.set(weights.dataSync<'float32'>(), from);
      this.run.m.set(first.dataSync<'float32'>(), from);
      this.run.v.set(second.dataSync<'float32'>(), from);
    });
    dispose(state);
    readWeights(this.untrained, flat);
  }

  private stateAt(globalStep: number): State {
    const weights = this.weightsAt(globalStep);
    const { m, v } = this.run;
    return this.trained.map(({ from, to, shape }) => {
      const [w, first, second] = [weights, m, v].map((flat) => tf.tensor(flat.slice(from, to), shape));
      return { weights: w, first, second } as AdamState;
    });
  }

  private weightsAt(globalStep: number): Float32Array {
    return this.run.weights[globalStep % 2] as Float32Array;
  }
}

function dispose(state: State): void {
  for (const { weights, first, second } of state) tf.dispose([weights, first, second]);
}

function graphStep(step: StepFunction, slots: TrainedSlot[], { beta1, beta2, l2 }: ResolvedTrainConfig) {
  return (state: State, { seed, ...batch }: StepInput, rates: Rates) => {
    const all = state.map(({ weights }) => weights);
    const { gradients, loss, kl, measured } = step(all, batch, { seed });
    const [weight, noise, epsilon, decay] = tf.unstack(rates) as [tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar];
    const rateOf = { weight, noise };
    return {
      state: state.map((each, i) => {
        const { kind, kernel } = slots[i] as TrainedSlot;
        const own = gradients[i] as tf.Tensor;
        const gradient = kernel && l2 !== 0 ? tf.add(own, tf.mul(each.weights, decay)) : own;
        return applyAdam(each, gradient, { rate: rateOf[kind], beta1, beta2, epsilon });
      }),
      metrics: tf.concat([loss, kl, measured].map((each) => each.as1D())) as tf.Tensor1D,
    };
  };
}
