import { type Dataset, evenPart } from '@sbp/data';
import { readInto } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { Exchange, ReplicaGone } from '../replicas/exchange.js';
import { type Link, threadLink } from '../replicas/link.js';
import { type Gradients, gradientsOf } from '../step/gradients.js';
import {
  isTrained,
  readWeights,
  type Slot,
  setTrainExamples,
  type TrainedSlot,
  weightLayout,
  writeWeights,
} from '../step/layout.js';
import { type StepInputs, stepInputs } from '../step/step-input.js';
import { adamStep } from '../update/adam.js';
import { l2Factor, stepRates } from '../update/schedule.js';
import { add, type EpochPart, type EpochSums, runEpoch, type StepTotals, type TrainStep } from './epoch.js';
import { measuredSums } from './evaluate.js';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';

/** One replica: its model, its part of every batch, its slice of the weights to update. */
export class Replica {
  private readonly gradients: Gradients;
  private readonly slots: Slot[];
  private readonly trained: TrainedSlot[];
  private readonly untrained: Slot[];
  private readonly exchange: Exchange;
  private readonly inputs: StepInputs;
  /** From … to: its slice of all weights. */
  private readonly slice: [from: number, to: number];
  /** Of the weights that a step reads, because some backends' tensors lie where their numbers came from. */
  private readonly local: Float32Array;
  private klScale = 1;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly run: SharedRun,
    private readonly index: number,
    private readonly link: Link = threadLink(run, run.replicas),
  ) {
    setTrainExamples(model, run.trainExamples);
    const { slots, size } = weightLayout(model);
    this.slots = slots;
    this.trained = slots.filter(isTrained);
    this.untrained = slots.filter((slot) => !isTrained(slot));
    this.exchange = new Exchange(run, index, link);
    const together = run.sizes.exchanged > 1 ? this.exchange : undefined;
    this.gradients = gradientsOf(model, this.trained, this.untrained, run.objective, together);
    this.slice = this.range(size, index);
    this.local = new Float32Array(size);
    this.inputs = stepInputs(model, run.train, run.objective, run.config, { index, of: run.replicas });
  }

  async epoch(epoch: number, part?: EpochPart): Promise<EpochSums> {
    this.klScale = part?.klScale ?? 1;
    const sums = await runEpoch(this.run, epoch, (indices, step) => this.trainStep(indices, step), part);
    // beyond the trained weights there are no moments
    this.link.push(this.run.m.subarray(...this.slice), this.run.v.subarray(...this.slice));
    return sums;
  }

  /** {@link TrainStep} */
  trainStep(indices: Uint32Array, globalStep: number): ReturnType<TrainStep> {
    try {
      this.compute(this.run.weights[globalStep % 2] as Float32Array, indices, globalStep);
    } catch (error) {
      if (error instanceof ReplicaGone) return 'broken';
      throw error;
    }
    if (!this.link.meet()) return 'broken';
    const totals = this.total(indices.length);
    if (!Number.isFinite(totals.loss + totals.kl)) return 'not finite';
    this.update(globalStep, indices.length);
    if (!this.link.meet()) return 'broken';
    const next = this.run.weights[(globalStep + 1) % 2] as Float32Array;
    this.link.pull(next.subarray(0, this.slice[0]), next.subarray(this.slice[1]));
    return totals;
  }

  /** What this replica's share of a data set comes to by the model with these weights; see `measuredSums`. */
  evaluate(weights: Float32Array, dataset: Dataset): number[] {
    writeWeights(tf, this.slots, weights);
    const all = Uint32Array.from({ length: dataset.size }, (_, i) => i);
    return measuredSums(
      this.model,
      dataset,
      this.run.objective,
      all.subarray(...this.range(dataset.size, this.index)),
    );
  }

  dispose(): void {
    this.inputs.stop();
    this.gradients.dispose();
  }

  /** A replica's part, from … to, of `length` things that all of them split evenly, in their order: together they see what one would. */
  private range(length: number, index: number): [from: number, to: number] {
    return evenPart(length, index, this.run.replicas);
  }

  /** Gradients of this replica's part of the batch, and what it comes to, for the others to see. */
  private compute(weights: Float32Array, batch: Uint32Array, globalStep: number): void {
    const { run, index, link } = this;
    const [from, to] = this.range(batch.length, index);
    // Where the batch has fewer examples than there are replicas, some compute one that is another's as well, and count for nothing.
    const indices = batch.subarray(from, Math.max(to, from + 1));
    this.exchange.examples = to - from;
    const target = run.gradients[index] as Float32Array;
    const stats = run.stats[index] as Float64Array;
    tf.tidy(() => {
      writeWeights(tf, this.untrained, weights);
      const input = this.inputs.of(indices, globalStep, this.klScale);
      this.local.set(weights);
      const tensors = this.trained.map((slot) =>
        tf.tensor(this.local.subarray(slot.from, slot.to), slot.shape),
      );
      const { loss, kl, measured, gradients } = this.gradients(tensors, input, from);
      stats.set([loss, kl, measured].flatMap((each) => [...each.dataSync<'float32'>()]));
      gradients.forEach((gradient, i) => {
        const slot = this.trained[i] as TrainedSlot;
        readInto(gradient, target.subarray(slot.from, slot.to));
      });
      tf.dispose([loss, kl, measured]);
    });
    readWeights(this.untrained, target);
    link.push(target, stats);
    // the first watches the time for all
    if (index === 0) link.push(run.pauseAt);
  }

  private total(batchSize: number): StepTotals {
    const { run, index, link } = this;
    if (index > 0) link.pull(run.pauseAt);
    link.pull(...run.stats.filter((_, r) => r !== index));
    const outputs = run.objective.outputs.map(() => 0);
    const sums: StepTotals = { loss: 0, kl: 0, measured: outputs, waited: this.inputs.waited };
    this.shares(batchSize).forEach((share, r) => {
      if (share === 0) return;
      const [loss, kl, ...measured] = run.stats[r] as Float64Array as unknown as [number, number];
      sums.loss += share * loss;
      sums.kl += share * kl;
      add(outputs, measured);
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
    const { run, index, link } = this;
    const { config, m, v, gradients, train } = run;
    const weights = run.weights[globalStep % 2] as Float32Array;
    const next = run.weights[(globalStep + 1) % 2] as Float32Array;
    const rates = stepRates(config, globalStep, stepsPerEpoch(run));
    const decay = l2Factor(config, globalStep, stepsPerEpoch(run), train.size);
    const [begin, end] = this.slice;
    const shares = this.shares(batchSize);
    link.pull(...gradients.filter((_, r) => r !== index).map((vector) => vector.subarray(begin, end)));
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
    link.push(next.subarray(begin, end));
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
    } else if (share > 0)
      for (let i = from; i < to; i++) target[i] = (target[i] as number) + share * (vector[i] as number);
  });
  return target;
}
