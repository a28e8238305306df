import type { Dataset } from '../dataset/dataset.js';
import { type Batch, batchArrays, sharedBatch } from './batch.js';
import { evenPart, shuffledIndices } from './order.js';
import { readBatch } from './read-batch.js';

/** Which batches a run's steps read, one after the other; plain data and shared memory, so that it can be posted to a thread. */
export interface BatchPlan {
  dataset: Dataset;
  /** Of the examples' order and of the distortions. */
  seed: number;
  /** Examples of a step; the last one of an epoch may have fewer. */
  batchSize: number;
  /** Where several replicas share each batch evenly: which of them, from 0, of how many. Default: one, alone. */
  part?: { index: number; of: number };
}

/** The epoch that a step, counted over all epochs, is in. */
export function epochOf({ dataset, batchSize }: BatchPlan, step: number): number {
  return Math.floor(step / stepsPerEpoch(dataset.size, batchSize));
}

/**
 * Batches made ahead of the steps that read them, in shared memory, by one thread or several. A slot belongs to whoever could mark it as taken, so nobody reads
 * what another one is writing, and it says which step's batch it holds.
 */
export interface BatchRing {
  plan: BatchPlan;
  /** The first step whose batch is still wanted, or why none is; then by slot 0, {@link TAKEN}, or 1 + the step whose batch is in it. */
  cells: Int32Array;
  /** By slot: number of examples, then which. */
  indices: Uint32Array[];
  /** By slot: its numbers. */
  batches: Batch[];
}

const WANTED = 0;
const EMPTY = 0;
const TAKEN = -1;
/** No step has asked yet. */
const NOT_BEGUN = -1;
const ENDED = -2;

/** @param slots how many batches there can be ahead */
export function batchRing(plan: BatchPlan, slots: number): BatchRing {
  const { dataset, batchSize, part } = plan;
  const most = Math.ceil(Math.min(batchSize, dataset.size) / (part?.of ?? 1));
  const shared = (numbers: number) => new SharedArrayBuffer(4 * numbers);
  const cells = new Int32Array(shared(1 + slots));
  cells[WANTED] = NOT_BEGUN;
  const each = <T>(make: () => T) => Array.from({ length: slots }, make);
  return {
    ...{ plan, cells },
    indices: each(() => new Uint32Array(shared(1 + most))),
    batches: each(() => sharedBatch(dataset, most)),
  };
}

/**
 * Gives `into` the step's batch if it is there, and has those after it made.
 *
 * @returns false where it is not, or is of other examples than `indices`
 */
export function takeBatch(ring: BatchRing, step: number, indices: Uint32Array, into: Batch): boolean {
  const { cells, batches, plan } = ring;
  const slot = step % batches.length;
  let found = false;
  if (Atomics.compareExchange(cells, 1 + slot, step + 1, TAKEN) === step + 1) {
    const held = ring.indices[slot]!;
    const { inputs, targets } = batchArrays(plan.dataset, indices.length, batches[slot]);
    const out = [...into.inputs, ...into.targets];
    found =
      held[0] === indices.length &&
      indices.every((index, i) => index === held[1 + i]) &&
      [...inputs, ...targets].every((made, i) => made.length === out[i]?.length);
    if (found) for (const [i, made] of [...inputs, ...targets].entries()) out[i]!.set(made);
    Atomics.store(cells, 1 + slot, EMPTY);
  }
  want(cells, step + 1);
  return found;
}

/** Lets the threads go. */
export function endRing({ cells }: BatchRing): void {
  want(cells, ENDED);
}

/** What a thread does: makes what is wanted, waits until more is, and returns when the ring ends. Blocks. */
export function fillRing(ring: BatchRing): void {
  const planned = plannedBatches(ring.plan);
  for (;;) {
    const wanted = Atomics.load(ring.cells, WANTED);
    if (wanted === ENDED) return;
    if (wanted === NOT_BEGUN || !fillSlot(ring, planned, wanted)) Atomics.wait(ring.cells, WANTED, wanted);
  }
}

/** Makes the first batch that is missing from step `wanted` on. @returns false where none is, or others are making them */
function fillSlot(
  { plan, cells, indices, batches }: BatchRing,
  planned: ReturnType<typeof plannedBatches>,
  wanted: number,
): boolean {
  const slots = batches.length;
  for (let step = wanted; step < wanted + slots; step++) {
    const slot = step % slots;
    const holds = Atomics.load(cells, 1 + slot);
    if (holds === step + 1 || holds === TAKEN) continue;
    if (Atomics.compareExchange(cells, 1 + slot, holds, TAKEN) !== holds) continue;
    const batch = planned(step);
    indices[slot]![0] = batch.length;
    indices[slot]!.set(batch, 1);
    const into = batchArrays(plan.dataset, batch.length, batches[slot]);
    readBatch(plan.dataset, batch, into, { seed: plan.seed, epoch: epochOf(plan, step) });
    Atomics.store(cells, 1 + slot, step + 1);
    return true;
  }
  return false;
}

/** The examples of each step; the order of the last epoch asked for is kept. */
function plannedBatches(plan: BatchPlan): (step: number) => Uint32Array {
  const { dataset, seed, batchSize, part = { index: 0, of: 1 } } = plan;
  const steps = stepsPerEpoch(dataset.size, batchSize);
  let known = -1;
  let order = new Uint32Array();
  return (step) => {
    const epoch = epochOf(plan, step);
    if (epoch !== known) order = shuffledIndices(dataset.size, seed, epoch) as typeof order;
    known = epoch;
    const from = (step - epoch * steps) * batchSize;
    const batch = order.subarray(from, from + batchSize);
    return batch.subarray(...evenPart(batch.length, part.index, part.of));
  };
}

function stepsPerEpoch(size: number, batchSize: number): number {
  return Math.ceil(size / batchSize);
}

function want(cells: Int32Array, step: number): void {
  Atomics.store(cells, WANTED, step);
  Atomics.notify(cells, WANTED);
}
