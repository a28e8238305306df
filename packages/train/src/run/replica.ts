import { type Dataset, evenPart } from '@sbp/data';
import { readInto } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { hasMasks } from '../objective/masks.js';
import { measuredLength } from '../objective/terms.js';
import { Exchange, ReplicaGone } from '../replicas/exchange.js';
import { type Link, threadLink } from '../replicas/link.js';
import { statisticChannels } from '../step/batch-norm.js';
import { type Gradients, gradientsOf } from '../step/gradients.js';
import { isTrained, readWeights, type Slot, type TrainedSlot, writeWeights } from '../step/layout.js';
import { averageStep } from '../update/average.js';
import { clipFactor, sumOfSquares } from '../update/clip.js';
import { optimizerOf } from '../update/optimizers.js';
import { add, type EpochPart, type EpochSums, runEpoch, type StepTotals, type TrainStep } from './epoch.js';
import type { SharedRun } from './shared-run.js';
import { type Workplace, workplace } from './workplace.js';

/** One replica: its model, its part of every batch, its slice of the weights to update. */
export class Replica {
  private readonly place: Workplace;
  private readonly gradients: Gradients;
  private readonly exchange: Exchange;
  /** Its slice of all weights, in pieces. */
  private readonly slice: [from: number, to: number];
  private readonly pieces: Piece[];
  private readonly noise: Slot[];
  /** Of the weights that a step reads, because some backends' tensors lie where their numbers came from. */
  private readonly local: Float32Array;
  private klScale = 1;

  constructor(
    model: tf.LayersModel,
    private readonly run: SharedRun,
    private readonly index: number,
    private readonly link: Link = threadLink(run, run.replicas),
  ) {
    this.place = workplace(model, run, index);
    const { trained, untrained, slots, part } = this.place;
    this.exchange = new Exchange(run, index, link);
    const together = run.replicas > 1 && meetWithin(model) ? this.exchange : undefined;
    this.gradients = gradientsOf(model, trained, untrained, run.objective, together);
    this.slice = part(run.sizes.weights);
    this.pieces = piecesOf(slots, ...this.slice);
    this.noise = trained.filter(({ kind }) => kind === 'noise');
    this.local = new Float32Array(run.sizes.weights);
  }

  async epoch(epoch: number, part?: EpochPart): Promise<EpochSums> {
    this.klScale = part?.klScale ?? 1;
    const sums = await runEpoch(this.run, epoch, (indices, step) => this.trainStep(indices, step), part);
    // beyond the trained weights there are no moments
    const { m, v, average } = this.run;
    this.link.push(...[m, v, ...(average ? [average] : [])].map((vector) => vector.subarray(...this.slice)));
    return sums;
  }

  /** {@link TrainStep} */
  trainStep(indices: Uint32Array, globalStep: number): ReturnType<TrainStep> {
    const weights = this.place.weightsAt(globalStep);
    // the noise's formulas take no other numbers, where a network may well make a finite loss of them
    const areNumbers = ({ from, to }: Slot) => weights.subarray(from, to).every(Number.isFinite);
    if (!this.noise.every(areNumbers)) return 'not finite';
    try {
      this.compute(weights, indices, globalStep);
      if (!this.link.meet()) return 'broken';
      const totals = this.total(indices.length);
      if (!Number.isFinite(totals.loss + totals.kl)) return 'not finite';
      this.update(globalStep, indices.length);
      if (!this.link.meet()) return 'broken';
      const next = this.place.weightsAt(globalStep + 1);
      this.link.pull(next.subarray(0, this.slice[0]), next.subarray(this.slice[1]));
      return totals;
    } catch (error) {
      if (error instanceof ReplicaGone) return 'broken';
      throw error;
    }
  }

  /** What this replica's share of a data set comes to by the model with these weights; see `measuredSums`. */
  evaluate(weights: Float32Array, dataset: Dataset): Promise<number[]> {
    return this.place.evaluate(weights, dataset);
  }

  dispose(): void {
    this.place.inputs.stop();
    this.gradients.dispose();
  }

  /** Gradients of this replica's part of the batch, and what it comes to, for the others to see. */
  private compute(weights: Float32Array, batch: Uint32Array, globalStep: number): void {
    const { run, index, link } = this;
    const { trained, untrained, inputs, part } = this.place;
    const [from, to] = part(batch.length);
    // Where the batch has fewer examples than there are replicas, some compute one that is another's as well, and count for nothing.
    const indices = batch.subarray(from, Math.max(to, from + 1));
    this.exchange.examples = to - from;
    const target = run.gradients[index] as Float32Array;
    const stats = run.stats[index] as Float64Array;
    tf.tidy(() => {
      writeWeights(tf, untrained, weights);
      const input = inputs.of(indices, globalStep, this.klScale);
      this.local.set(weights);
      const tensors = trained.map((slot) => tf.tensor(this.local.subarray(slot.from, slot.to), slot.shape));
      const { loss, kl, measured, gradients } = this.gradients(tensors, input, from);
      stats.set([loss, kl, measured].flatMap((each) => [...each.dataSync<'float32'>()]));
      gradients.forEach((gradient, i) => {
        const slot = trained[i] as TrainedSlot;
        readInto(gradient, target.subarray(slot.from, slot.to));
      });
      tf.dispose([loss, kl, measured]);
    });
    readWeights(untrained, target);
    link.push(target, stats);
    // the first watches the time for all
    if (index === 0) link.push(run.pauseAt);
  }

  private total(batchSize: number): StepTotals {
    const { run, index, link } = this;
    if (index > 0) link.pull(run.pauseAt);
    link.pull(...run.stats.filter((_, r) => r !== index));
    const outputs = Array.from({ length: measuredLength(run.objective) }, () => 0);
    const sums: StepTotals = { loss: 0, kl: 0, measured: outputs, waited: this.place.inputs.waited };
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
      const [from, to] = evenPart(batchSize, r, this.run.replicas);
      return (to - from) / batchSize;
    });
  }

  /** Updates this replica's slice of all weights. */
  private update(globalStep: number, batchSize: number): void {
    const { run, index, link, pieces } = this;
    const { config, m, v, gradients, average } = run;
    const weights = this.place.weightsAt(globalStep);
    const next = this.place.weightsAt(globalStep + 1);
    const pace = this.place.pace(globalStep);
    const [begin, end] = this.slice;
    const shares = this.shares(batchSize);
    link.pull(...gradients.filter((_, r) => r !== index).map((vector) => vector.subarray(begin, end)));
    const mean = ({ from, to }: Piece) => meanOf(gradients, shares, from, to);
    const clip = config.clipNorm === undefined ? undefined : this.clip(mean, config.clipNorm);
    for (const piece of pieces) {
      const { slot, from, to } = piece;
      const gradient = clip === undefined ? mean(piece) : (gradients[0] as Float32Array);
      if (isTrained(slot)) {
        const step = {
          ...pace[slot.kind],
          clip: slot.kind === 'weight' ? (clip ?? 1) : 1,
          l2: slot.kernel ? pace.l2 : 0,
          lost: slot.kernel ? pace.lost : 0,
        };
        const optimizer = optimizerOf(slot.kind, config.optimizer);
        optimizer.stepFlat({ weights, gradient, next, m, v }, from, to, step, config);
      } else next.set((slot.kind === 'frozen' ? weights : gradient).subarray(from, to), from);
      if (average) averageStep(average, next, from, to, pace.averaged);
    }
    link.push(next.subarray(begin, end));
  }

  /** Takes all means, and with the other replicas the factor on the weights' gradient, the same for all to the bit. */
  private clip(mean: (piece: Piece) => Float32Array, clipNorm: number): number {
    let squares = 0;
    for (const piece of this.pieces) {
      const gradient = mean(piece);
      if (piece.slot.kind === 'weight') squares += sumOfSquares(gradient, piece.from, piece.to);
    }
    const sum = (said: Float64Array[]) => said.reduce((all, [own]) => all + (own as number), 0);
    return clipFactor(this.exchange.together([squares], sum), clipNorm);
  }
}

/** Whether replicas have to tell each other something within a step: of batch norm, or how many steps of a batch count. */
const meetWithin = (model: tf.LayersModel) => statisticChannels(model).length > 0 || hasMasks(model);

/** Numbers of one weight that are averaged and used before the next ones, so that they are still in the core's cache. */
interface Piece {
  slot: Slot;
  from: number;
  to: number;
}

const PIECE = 2048;

function piecesOf(slots: Slot[], begin: number, end: number): Piece[] {
  return slots.flatMap((slot) => {
    const [first, last] = [Math.max(slot.from, begin), Math.min(slot.to, end)];
    return Array.from({ length: Math.max(0, Math.ceil((last - first) / PIECE)) }, (_, i) => ({
      slot,
      from: first + i * PIECE,
      to: Math.min(first + (i + 1) * PIECE, last),
    }));
  });
}
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
