import type { Dataset } from '@sbp/data';
import { type Compiled, compile } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { biasCorrection } from './adam.js';
import { type EpochPart, type EpochSums, runEpoch, stepsTaken, type TrainStep } from './epoch.js';
import { correctCount } from './evaluate.js';
import { type Slot, setTrainExamples, weightLayout, writeWeights } from './layout.js';
import { stepRates } from './schedule.js';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';
import { type StepFunction, stepFunction } from './step.js';
import { stepInputs } from './step-input.js';
import { type TensorState, tensorAdam } from './tensor-adam.js';

type GraphStep = (
  state: TensorState,
  input: { x: tf.Tensor; y: tf.Tensor; u: tf.Tensor },
  /** Rates for weights and noise, and ε̂; scalars. */
  rates: { weight: tf.Tensor; noise: tf.Tensor; epsilonHat: tf.Tensor },
) => { state: TensorState; loss: tf.Tensor; kl: tf.Tensor; correct: tf.Tensor };

/**
 * The only replica of a run on tensorflow: its whole step, gradients and Adam included, is one graph. Between steps the state stays in
 * tensors; when `epoch` begins and ends it is in the run's vectors.
 */
export class GraphReplica {
  private readonly slots: Slot[];
  private readonly trained: Slot[];
  private readonly step: Compiled<Parameters<GraphStep>, ReturnType<GraphStep>>;
  private readonly inputs: ReturnType<typeof stepInputs>;
  private state: TensorState | undefined;
  /** Weights of the step before, the last good ones where this step's loss is not finite. */
  private before: tf.Tensor[] | undefined;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly run: SharedRun,
  ) {
    setTrainExamples(model, run.trainExamples);
    const { slots } = weightLayout(model);
    this.slots = slots;
    this.trained = slots.filter(({ kind }) => kind !== 'statistic');
    this.step = compile(graphStep(stepFunction(model, this.trained, 'tensors'), this.trained, run.config), {
      variables: this.statistics().map(({ variable }) => variable.read() as tf.Variable),
    });
    this.inputs = stepInputs(model, run.train, run.config.seed);
  }

  async epoch(epoch: number, part?: EpochPart): Promise<EpochSums> {
    const first = epoch * stepsPerEpoch(this.run);
    this.load(first + stepsTaken(this.run, part?.from));
    const sums = await runEpoch(this.run, epoch, (indices, step) => this.trainStep(indices, step), part);
    if (sums.failedStep === undefined) this.save(first + stepsTaken(this.run, sums));
    return sums;
  }

  /** {@link TrainStep}, except that the run's vectors are brought up to date by `epoch` only. */
  trainStep(indices: Uint32Array, globalStep: number): ReturnType<TrainStep> {
    const { config } = this.run;
    if (!this.state) this.load(globalStep);
    const before = this.state as TensorState;
    const rates = stepRates(config, globalStep, stepsPerEpoch(this.run));
    const { correction, epsilonHat } = biasCorrection({ ...config, step: globalStep + 1 });
    const { state, ...scalars } = tf.tidy(() =>
      this.step(before, this.inputs(indices, globalStep), {
        weight: tf.scalar(rates.weight * correction),
        noise: tf.scalar(rates.noise * correction),
        epsilonHat: tf.scalar(epsilonHat),
      }),
    );
    const [loss, kl, correct] = [scalars.loss, scalars.kl, scalars.correct].map(
      (scalar) => scalar.dataSync()[0] as number,
    ) as [number, number, number];
    tf.dispose(Object.values(scalars));
    if (!Number.isFinite(loss + kl)) {
      tf.dispose(Object.values(state).flat());
      this.write(this.before ?? before.weights, this.run.weights[(globalStep + 1) % 2] as Float32Array);
      return 'not finite';
    }
    tf.dispose([...(this.before ?? []), ...before.m, ...before.v]);
    this.before = before.weights;
    this.state = state;
    return { loss, kl, correct };
  }

  evaluate(weights: Float32Array, dataset: Dataset): number {
    writeWeights(tf, this.slots, weights);
    return correctCount(this.model, dataset);
  }

  dispose(): void {
    this.release();
    this.step.dispose();
  }

  private load(globalStep: number): void {
    this.release();
    const { weights, m, v } = this.run;
    const tensors = (flat: Float32Array) =>
      this.trained.map(({ from, to, shape }) => tf.tensor(flat.slice(from, to), shape));
    const current = weights[globalStep % 2] as Float32Array;
    writeWeights(tf, this.statistics(), current);
    this.state = { weights: tensors(current), m: tensors(m), v: tensors(v) };
  }

  private save(globalStep: number): void {
    const { weights, m, v } = this.state as TensorState;
    const flat = this.run.weights[globalStep % 2] as Float32Array;
    this.write(weights, flat);
    this.write(m, this.run.m);
    this.write(v, this.run.v);
    for (const { variable, from } of this.statistics()) flat.set(variable.read().dataSync<'float32'>(), from);
  }

  private write(tensors: tf.Tensor[], flat: Float32Array): void {
    tensors.forEach((tensor, i) => {
      flat.set(tensor.dataSync<'float32'>(), (this.trained[i] as Slot).from);
    });
  }

  private release(): void {
    tf.dispose([...(this.before ?? []), ...Object.values(this.state ?? {}).flat()]);
    this.state = undefined;
    this.before = undefined;
  }

  private statistics(): Slot[] {
    return this.slots.filter(({ kind }) => kind === 'statistic');
  }
}

function graphStep(step: StepFunction, slots: Slot[], config: { beta1: number; beta2: number }): GraphStep {
  return (state, { x, y, u }, rates) => {
    const { gradients, ...metrics } = step(state.weights, x, y, u);
    const rateOf = slots.map(({ kind }) => rates[kind as 'weight' | 'noise']);
    return { state: tensorAdam(state, gradients, rateOf, rates.epsilonHat, config), ...metrics };
  };
}
