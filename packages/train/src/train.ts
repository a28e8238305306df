import type { Dataset } from '@sbp/data';
import { groupCounts } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { resolveTrainConfig, type TrainConfig, TrainError } from './config.js';
import { startTeam } from './replicas/start-team.js';
import type { Team } from './replicas/team.js';
import { narrower, startCourse } from './run/course.js';
import { stepsTaken } from './run/epoch.js';
import { type SharedRun, stepsPerEpoch } from './run/shared-run.js';
import { type EpochMetrics, heldWeights, type TrainProgress, type TrainState } from './run/state.js';
import { weightLayout, writeWeights } from './step/layout.js';
import { stepRates } from './update/pace.js';

export interface TrainHooks {
  /** Called about four times a second. */
  onProgress?(progress: TrainProgress): void;
  /** Called after each epoch, awaited. `state` is shared with the run: copy or write it before returning. */
  onEpoch?(metrics: EpochMetrics, state: TrainState): void | Promise<void>;
  /**
   * Called within epochs every `checkpointMinutes` (default 5) of training, awaited; `state` is as `onEpoch` gets it. Neither
   * changes a bit of what comes out.
   */
  onCheckpoint?(state: TrainState): void | Promise<void>;
  checkpointMinutes?: number;
  /** State to go on from. */
  resume?: TrainState;
}

export interface TrainData {
  train: Dataset;
  test: Dataset;
  /** Images held out of `train`, for what is selected by their error. */
  validation?: Dataset;
}

/**
 * Trains a classifier with noise layers, in place: the config's optimizer on mean cross-entropy + Σ klFactor · KL + the layers' regularisers.
 * With the same seed, engine and number of replicas the weights come out the same to the bit, also when resumed. Runs on the current tfjs
 * backend; several replicas are worker threads on the same backend, or on GPUs one process a GPU.
 *
 * @param model outputs class probabilities by a final softmax layer, or logits; its noise layers' `trainExamples` default to the
 *   training set's size
 * @returns metrics by epoch
 * @throws TrainError for settings that cannot be used; for a loss that is not finite (the model then holds the last
 *   good weights); for a replica that died
 */
export function train(
  model: tf.LayersModel,
  data: TrainData,
  options: TrainConfig = {},
  hooks: TrainHooks = {},
): Promise<EpochMetrics[]> {
  return trainOn(startTeam, model, data, options, hooks);
}

/** {@link train} on replicas started by `start`, wherever that lets them live. */
export async function trainOn(
  start: (model: tf.LayersModel, run: SharedRun) => Team | Promise<Team>,
  model: tf.LayersModel,
  data: TrainData,
  options: TrainConfig,
  hooks: TrainHooks,
): Promise<EpochMetrics[]> {
  const config = resolveTrainConfig(options);
  checkShapes(model, data.train);
  const replicas = Math.min(config.replicas || (await defaultReplicas(tf.getBackend())), config.batchSize);
  const { slots } = weightLayout(model);
  const first = hooks.resume?.epoch ?? 0;
  if (hooks.resume) {
    checkLengths(model, hooks.resume);
    // where nothing is left to do, the caller still gets the trained model
    writeWeights(tf, slots, heldWeights(hooks.resume));
    if (first >= config.epochs) return [];
  }
  const setup = { model, data, config, replicas, start };
  let course = await startCourse(setup, hooks.resume);
  const steps = stepsPerEpoch(course.run);
  const history: EpochMetrics[] = [];
  const seconds = hooks.onCheckpoint && 60 * (hooks.checkpointMinutes ?? CHECKPOINT_MINUTES);
  let within = hooks.resume?.within;
  try {
    for (let epoch = first; epoch < config.epochs; epoch++) {
      const began = performance.now() - 1000 * (within?.seconds ?? 0);
      const elapsed = () => (performance.now() - began) / 1000;
      const onProgress = (progress: Omit<TrainProgress, 'epochs'>) =>
        hooks.onProgress?.({ ...progress, epochs: config.epochs });
      const { run, team } = course;
      const part = () => team.epoch(epoch, { from: within?.sums, seconds, onProgress });
      let sums = await part();
      while (sums.examples < data.train.size && sums.failedStep === undefined) {
        within = { sums, seconds: elapsed() };
        const weights = run.weights[(epoch * steps + stepsTaken(run, sums)) % 2] as Float32Array;
        await hooks.onCheckpoint?.({ epoch, within, ...course.state(weights) });
        sums = await part();
      }
      within = undefined;
      const trained = elapsed();
      const weights = run.weights[(epoch * steps + (sums.failedStep ?? steps)) % 2] as Float32Array;
      if (sums.failedStep !== undefined) {
        // the step before it wrote the weights that failed: the other copy is the last that gave a finite loss
        const good = sums.failedStep + epoch * steps > 0 ? otherCopy(run, weights) : weights;
        writeWeights(tf, slots, course.state(good).weights);
        throw new TrainError(
          `the loss is not finite at epoch ${epoch + 1}, step ${sums.failedStep + 1}; the model holds the last good weights; lower learningRate or noiseRate.`,
        );
      }
      const held = run.average ?? weights;
      const errorOn = async (set: Dataset) =>
        (100 * (set.size - (await team.evaluate(held, set)))) / set.size;
      const error = await errorOn(data.test);
      const validation = data.validation && { validationError: await errorOn(data.validation) };
      const state = course.state(weights);
      writeWeights(tf, slots, heldWeights(state));
      const metrics: EpochMetrics = {
        epoch: epoch + 1,
        loss: sums.loss / sums.examples,
        kl: sums.kl / sums.examples,
        trainError: (100 * (sums.examples - sums.correct)) / sums.examples,
        error,
        ...validation,
        learningRate: stepRates(config, (epoch + 1) * steps - 1, steps).weight,
        ...groups(model),
        imagesPerSecond: sums.examples / trained,
        ...(sums.waited !== undefined && { dataShare: sums.waited / trained }),
        seconds: elapsed(),
      };
      history.push(metrics);
      // before the state is kept, so that what goes on from it is as narrow
      const next = config.shrink && epoch + 1 < config.epochs ? narrower(model, state) : undefined;
      await hooks.onEpoch?.(metrics, { epoch: epoch + 1, ...(next ?? state) });
      if (next) {
        await course.stop();
        course = await startCourse(setup, next);
      }
    }
  } finally {
    await course.stop();
  }
  return history;
}

const CHECKPOINT_MINUTES = 5;

function otherCopy(run: SharedRun, weights: Float32Array): Float32Array {
  return weights === run.weights[0] ? run.weights[1] : run.weights[0];
}

function groups(model: tf.LayersModel): Pick<EpochMetrics, 'kept' | 'total'> {
  const counts = groupCounts(model);
  return {
    kept: Object.fromEntries(counts.map(({ name, kept }) => [name, kept])),
    total: Object.fromEntries(counts.map(({ name, total }) => [name, total])),
  };
}

function checkLengths(model: tf.LayersModel, { weights, m }: TrainState): void {
  const { size, trainable } = weightLayout(model);
  if (weights.length !== size || m.length !== trainable)
    throw new TrainError(
      `the state to resume from has ${weights.length} weights, the model ${size}; resume with the model that it was saved from.`,
    );
}

function checkShapes(model: tf.LayersModel, dataset: Dataset): void {
  const input = model.inputs[0]?.shape.slice(1).join('×');
  if (input !== dataset.shape.join('×'))
    throw new TrainError(
      `the model's input is ${input}, the images of ${dataset.name} are ${dataset.shape.join('×')}; build the model for them.`,
    );
  const classes = model.outputs[0]?.shape.at(-1);
  if (classes !== dataset.classes)
    throw new TrainError(
      `the model has ${classes} outputs, ${dataset.name} has ${dataset.classes} classes; give the last layer ${dataset.classes} units.`,
    );
}

/**
 * Replicas that a run has where its config says 0: one a core on wasm, which has no threads of its own in Node; one in this
 * thread on the other engines.
 */
export async function defaultReplicas(backend: string): Promise<number> {
  if (backend !== 'wasm' || typeof process === 'undefined') return 1;
  return (await import('node:os')).availableParallelism();
}
