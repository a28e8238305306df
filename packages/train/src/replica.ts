import { type Dataset, evenPart } from '@sbp/data';
import { readInto } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { adamStep } from './adam.js';
import { Barrier } from './barrier.js';
import { type EpochPart, type EpochSums, runEpoch, type StepTotals, type TrainStep } from './epoch.js';
import { evaluateShare } from './evaluate.js';
import {
  isTrained,
  readWeights,
  type Slot,
  setTrainExamples,
  type TrainedSlot,
  weightLayout,
  writeWeights,
} from './layout.js';
import { l2Factor, stepRates } from './schedule.js';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';
import { type StepFunction, stepFunction } from './step.js';
import { type StepInputs, stepInputs } from './step-input.js';

/** One replica: its model, its share of every batch, its slice of the weights to update. */
export class Replica {
  private readonly step: StepFunction;
  private readonly slots: Slot[];
  private readonly trained: TrainedSlot[];
  private readonly untrained: Slot[];
  private readonly barrier: Barrier;
  private readonly inputs: StepInputs;
  /** Of the weights that a step reads, because some backends' tensors lie where their numbers came from. */
  private readonly local: Float32Array;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly run: SharedRun,
    private readonly index: number,
  ) {
    setTrainExamples(model, run.trainExamples);
    const { slots } = weightLayout(model);
    this.slots = slots;
    this.trained = slots.filter(isTrained);
    this.untrained = slots.filter((slot) => !isTrained(slot));
    this.step = stepFunction(model, this.trained);
    this.barrier = new Barrier(run.barrier, run.replicas);
    this.local = new Float32Array(run.weights[0].length);
    this.inputs = stepInputs(model, run.train, run.config, { index, of: run.replicas });
  }

  epoch(epoch: number, part?: EpochPart): Promise<EpochSums> {
    return runEpoch(this.run, epoch, (indices, step) => this.trainStep(indices, step), part);
  }

  /** {@link TrainStep} */
  trainStep(indices: Uint32Array, globalStep: number): ReturnType<TrainStep> {
    this.compute(this.run.weights[globalStep % 2] as Float32Array, indices, globalStep);
    if (!this.barrier.wait()) return 'broken';
    const totals = this.total(indices.length);
    if (!Number.isFinite(totals.loss + totals.kl)) return 'not finite';
    this.update(globalStep, indices.length);
    return this.barrier.wait() ? totals : 'broken';
  }

  /** Examples of this replica's share of the test set that the model, with weights as they stand, gets right. */
  evaluate(weights: Float32Array, dataset: Dataset): number {
    writeWeights(tf, this.slots, weights);
    const all = Uint32Array.from({ length: dataset.size }, (_, i) => i);
    return evaluateShare(this.model, dataset, this.share(all));
  }

  dispose(): void {
    this.inputs.stop();
  }

  /** Its part of a batch: contiguous, so that all replicas together see what a single one would. */
  private share(batch: Uint32Array): Uint32Array {
    return batch.subarray(...this.range(batch.length, this.index));
  }

  /** A replica's part, from … to, of `length` things that all of them split evenly. */
  private range(length: number, index: number): [from: number, to: number] {
    return evenPart(length, index, this.run.replicas);
  }

  private compute(weights: Float32Array, batch: Uint32Array, globalStep: number): void {
    const [indices, firstExample] = [this.share(batch), this.range(batch.length, this.index)[0]];
    const target = this.run.gradients[this.index] as Float32Array;
    const stats = this.run.stats[this.index] as Float64Array;
    if (indices.length === 0) {
      stats.fill(0);
      return;
    }
    tf.tidy(() => {
      writeWeights(tf, this.untrained, weights);
      const { x, y, u, seed } = this.inputs.of(indices, globalStep);
      this.local.set(weights);
      const tensors = this.trained.map(({ from, to, shape }) =>
        tf.tensor(this.local.subarray(from, to), shape),
      );
      const { loss, kl, correct, gradients } = this.step(tensors, x, y, u, { seed, firstExample });
      stats.set([loss, kl, correct].map((scalar) => scalar.dataSync()[0] as number));
      gradients.forEach((gradient, i) => {
        const { from, to } = this.trained[i] as TrainedSlot;
        readInto(gradient, target.subarray(from, to));
      });
      tf.dispose([loss, kl, correct]);
    });
    readWeights(this.untrained, target);
  }

  private total(batchSize: number): StepTotals {
    const sums: StepTotals = { loss: 0, kl: 0, correct: 0, waited: this.inputs.waited };
    this.shares(batchSize).forEach((share, r) => {
      const [loss, kl, correct] = this.run.stats[r] as Float64Array as unknown as [number, number, number];
      sums.loss += share * loss;
      sums.kl += share * kl;
      sums.correct += correct;
    });
    return sums;
  }

  /** By replica, its part of the batch as a fraction. */
  private shares(batchSize: number): number[] {
    return this.run.stats.map((_, r) => {
      const [from, to] = this.range(batchSize, r);
      return (to - from) / batchSize;
    });
  }

  /** Updates this replica's slice of all weights. */
  private update(globalStep: number, batchSize: number): void {
    const { config, m, v, gradients, train } = this.run;
    const weights = this.run.weights[globalStep % 2] as Float32Array;
    const next = this.run.weights[(globalStep + 1) % 2] as Float32Array;
    const rates = stepRates(config, globalStep, stepsPerEpoch(this.run));
    const decay = l2Factor(config, globalStep, stepsPerEpoch(this.run), train.size);
    const [begin, end] = this.range(weights.length, this.index);
    const shares = this.shares(batchSize);
    for (const slot of this.slots) {
      const { kind, kernel, from, to } = slot;
      const last = Math.min(to, end);
      const step = isTrained(slot) && {
        ...{ ...config, step: globalStep + 1, learningRate: rates[slot.kind] },
        decay: kernel ? decay : 0,
      };
      for (let lo = Math.max(from, begin); lo < last; lo += BLOCK) {
        const hi = Math.min(lo + BLOCK, last);
        const gradient = meanOf(gradients, shares, lo, hi);
        if (step) adamStep({ weights, gradient, next, m, v }, lo, hi, step);
        else next.set((kind === 'frozen' ? weights : gradient).subarray(lo, hi), lo);
      }
    }
  }
}

/** Numbers that are averaged and used before the next ones, so that they are still in the core's cache. */
const BLOCK = 2048;

/** The replicas' vectors' weighted mean on the entries `from` … `to`, written over the first's: nobody else reads them. */
function meanOf(vectors: Float32Array[], shares: number[], from: number, to: number): Float32Array {
  const target = vectors[0] as Float32Array;
  vectors.forEach((vector, r) => {
    const share = shares[r] as number;
    if (r === 0) {
      if (share !== 1) for (let i = from; i < to; i++) target[i] = share * (vector[i] as number);
    } else for (let i = from; i < to; i++) target[i] = (target[i] as number) + share * (vector[i] as number);
  });
  return target;
}
