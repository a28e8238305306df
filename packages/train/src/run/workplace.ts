import { type Dataset, evenPart } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import {
  isTrained,
  type Slot,
  setTrainExamples,
  type TrainedSlot,
  weightLayout,
  writeWeights,
} from '../step/layout.js';
import { type StepInputs, stepInputs } from '../step/step-input.js';
import { type StepPace, stepPace } from '../update/pace.js';
import { measuredSumsInTurns } from './evaluate.js';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';

/** What a replica of any kind has of its model and its run. */
export interface Workplace {
  /** All weights, those that are trained, and the others. */
  slots: Slot[];
  trained: TrainedSlot[];
  untrained: Slot[];
  inputs: StepInputs;
  /** Its part, from … to, of `length` things that all replicas split evenly, in their order: together they see what one would. */
  part(length: number): [from: number, to: number];
  /** The run's vector that a step reads; it writes that of the next. */
  weightsAt(globalStep: number): Float32Array;
  pace(globalStep: number): StepPace;
  /** What its part of a data set comes to by the model with these weights; see `measuredSums`. */
  evaluate(weights: Float32Array, dataset: Dataset): Promise<number[]>;
}

/** @param index which of the run's replicas it is for */
export function workplace(model: tf.LayersModel, run: SharedRun, index: number): Workplace {
  setTrainExamples(model, run.trainExamples);
  const { slots } = weightLayout(model);
  const size = { steps: stepsPerEpoch(run), examples: run.train.size };
  const part = (length: number) => evenPart(length, index, run.replicas);
  return {
    slots,
    trained: slots.filter(isTrained),
    untrained: slots.filter((slot) => !isTrained(slot)),
    inputs: stepInputs(model, run.train, run.objective, run.config, { index, of: run.replicas }),
    part,
    weightsAt: (globalStep) => run.weights[globalStep % 2] as Float32Array,
    pace: (globalStep) => stepPace(run.config, globalStep, size),
    evaluate(weights, dataset) {
      writeWeights(tf, slots, weights);
      const all = Uint32Array.from({ length: dataset.size }, (_, i) => i);
      return measuredSumsInTurns(model, dataset, run.objective, all.subarray(...part(dataset.size)));
    },
  };
}
