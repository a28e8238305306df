import type { Dataset } from '@sbp/data';
import { groupCounts } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { resolveTrainConfig, type TrainConfig } from './config.js';
import { TrainError } from './errors.js';
import { inputsFor } from './objective/inputs.js';
import { mainOutput, type Objective, objectiveOf } from './objective/objective.js';
import { startTeam } from './replicas/start-team.js';
import type { Team } from './replicas/team.js';
import { narrower, startCourse } from './run/course.js';
import { stepsTaken } from './run/epoch.js';
import { errorsOf, metricsOf } from './run/evaluate.js';
import { type SharedRun, stepsPerEpoch } from './run/shared-run.js';
import {
  type EpochMetrics,
  heldWeights,
  type Steering,
  type TrainProgress,
  type TrainState,
} from './run/state.js';
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
  /**
   * Stops the training between two steps, or behind the evaluation that is under way: `onCheckpoint` or `onEpoch` has the state by then, and `train` throws. Replicas in processes of their own, one a GPU, stop at the
   * next checkpoint. With it, what an evaluation of some seconds follows is given to `onCheckpoint` before.
   */
  signal?: AbortSignal;
  /** State to go on from. */
  resume?: TrainState;
  /** Sets how much the KL weighs; left out, as much as each noise's settings say. */
  steer?: Steering;
}

export interface TrainData {
  train: Dataset;
  test: Dataset;
  /** Images held out of `train`, for what is selected by their error. */
  validation?: Dataset;
}

/**
 * Trains a model with noise layers, in place: on its outputs' mean losses + Σ klFactor · KL + the layers' regularisers.
 * With the same seed, engine and number of replicas the weights come out the same to the bit, also when resumed. Runs on the current tfjs
 * backend; several replicas are worker threads on the same backend, or on GPUs one process a GPU.
 *
 * @param model any: what its outputs are to say, and by which loss, follows from the data's targets where the settings don't say it; its noise layers'
 *   `trainExamples` default to the training set's size
 * @returns metrics by epoch
 * @throws TrainError for settings that cannot be used; for a loss that is not finite (the model then holds the last
 *   good weights); for a replica that died; where `signal` stopped it
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
  const asGiven = resolveTrainConfig(options);
  // memory is had for as many as a step can get
  const config = { ...asGiven, batchSize: Math.min(asGiven.batchSize, data.train.size) };
  inputsFor(model, data.train);
  const objective = objectiveOf(model, data.train, config);
  for (const set of [data.test, data.validation])
    if (set) objectiveOf(model, set, { ...config, distillation: undefined });
  const functions = lossFunctions(objective);
  if (functions.length > 0 && config.replicas > 1)
    throw new TrainError(
      `loss: a function can't be sent to ${config.replicas} replicas, which are threads or processes of their own; leave replicas out or set it to 1, or take a loss by name.`,
    );
  const asked = functions.length > 0 ? 1 : config.replicas || (await defaultReplicas(tf.getBackend()));
  const replicas = Math.min(asked, config.batchSize);
  const { slots } = weightLayout(model);
  const first = hooks.resume?.epoch ?? 0;
  if (hooks.resume) {
    checkLengths(model, hooks.resume);
    checkFunctions(objective, hooks.resume);
    // where nothing is left to do, the caller still gets the trained model
    writeWeights(tf, slots, heldWeights(hooks.resume));
    if (first >= config.epochs) return [];
  }
  const main = mainOutput(objective);
  const said = functions.length > 0 ? { lossFunctions: functions } : {};
  const setup = { model, data, config, objective, replicas, start };
  let course = await startCourse(setup, hooks.resume);
  const steps = stepsPerEpoch(course.run);
  const history: EpochMetrics[] = [];
  const seconds = hooks.onCheckpoint && 60 * (hooks.checkpointMinutes ?? CHECKPOINT_MINUTES);
  const stop = () => Atomics.store(course.run.pauseAt, 1, 1);
  hooks.signal?.addEventListener('abort', stop);
  /** Of the last evaluation. */
  let evaluated = Number.POSITIVE_INFINITY;
  let within = hooks.resume?.within;
  let steering = hooks.resume?.steering;
  try {
    for (let epoch = first; epoch < config.epochs; epoch++) {
      if (hooks.signal?.aborted) throw stopped();
      const began = performance.now() - 1000 * (within?.seconds ?? 0);
      let kept = within?.seconds ?? 0;
      const elapsed = () => (performance.now() - began) / 1000;
      const onProgress = (progress: Omit<TrainProgress, 'epochs'>) =>
        hooks.onProgress?.({ ...progress, epochs: config.epochs });
      const { run, team } = course;
      const weightsAt = (step: number) => run.weights[step % 2] as Float32Array;
      const steer = (step: number) => {
        if (!hooks.steer || step % hooks.steer.every !== 0) return;
        writeWeights(tf, slots, heldWeights(course.state(weightsAt(step))));
        steering = hooks.steer.next(model, step / (config.epochs * steps), steering);
      };
      const part = (step: number) => {
        const until = hooks.steer && step + hooks.steer.every - (step % hooks.steer.every);
        const { klScale } = steering ?? {};
        return team.epoch(epoch, { from: within?.sums, seconds, until, klScale, onProgress });
      };
      const keep = async (step: number, taken: TrainState['within']) => {
        const state = course.state(weightsAt(step));
        await hooks.onCheckpoint?.({
          epoch,
          within: taken,
          ...state,
          ...(steering && { steering }),
          ...said,
        });
      };
      const before = epoch * steps;
      if (!within) steer(before);
      let sums = await part(before + stepsTaken(run, within?.sums));
      while (sums.examples < data.train.size && sums.failedStep === undefined) {
        within = { sums, seconds: elapsed() };
        const step = before + stepsTaken(run, sums);
        steer(step);
        if (hooks.signal?.aborted || elapsed() - kept >= (seconds ?? Number.POSITIVE_INFINITY)) {
          await keep(step, within);
          kept = elapsed();
        }
        if (hooks.signal?.aborted) throw stopped();
        sums = await part(step);
      }
      const trained = elapsed();
      if (hooks.signal && sums.failedStep === undefined && (evaluated > LONG || hooks.signal.aborted)) {
        await keep(before + steps, { sums, seconds: trained });
        if (hooks.signal.aborted) throw stopped();
      }
      within = undefined;
      const weights = run.weights[(epoch * steps + (sums.failedStep ?? steps)) % 2] as Float32Array;
      if (sums.failedStep !== undefined) {
        // the step before it wrote the weights that failed: the other copy is the last that gave a finite loss
        const good = sums.failedStep + epoch * steps > 0 ? otherCopy(run, weights) : weights;
        writeWeights(tf, slots, course.state(good).weights);
        throw new TrainError(
          `the loss is not finite at epoch ${epoch + 1}, step ${sums.failedStep + 1}; the model holds the last good weights; lower learningRate or noiseRate.`,
          'not-finite',
        );
      }
      const held = run.average ?? weights;
      const figuresOn = async (set: Dataset) => {
        const measured = await team.evaluate(held, set);
        return { errors: errorsOf(objective, measured), metrics: metricsOf(objective, measured) };
      };
      const { errors, metrics: named } = await figuresOn(data.test);
      const validation = data.validation && (await figuresOn(data.validation));
      evaluated = elapsed() - trained;
      const state = course.state(weights);
      writeWeights(tf, slots, heldWeights(state));
      const metrics: EpochMetrics = {
        epoch: epoch + 1,
        loss: sums.loss / sums.examples,
        kl: sums.kl / sums.examples,
        trainError: errorsOf(objective, sums.measured)[main] as number,
        error: errors[main] as number,
        ...(validation && { validationError: validation.errors[main] as number }),
        ...(errors.length > 1 && { errors: byOutput(objective, errors) }),
        ...(named && { metrics: named }),
        ...(validation?.metrics && { validationMetrics: validation.metrics }),
        ...(steering && { klScale: steering.klScale }),
        learningRate: stepRates(config, (epoch + 1) * steps - 1, steps).weight,
        ...groups(model),
        imagesPerSecond: sums.examples / trained,
        ...(sums.waited !== undefined && { dataShare: sums.waited / trained }),
        seconds: elapsed(),
      };
      history.push(metrics);
      // before the state is kept, so that what goes on from it is as narrow
      const next = config.shrink && epoch + 1 < config.epochs ? narrower(model, state) : undefined;
      const now = { epoch: epoch + 1, ...(next ?? state), ...(steering && { steering }), ...said };
      await hooks.onEpoch?.(metrics, now);
      if (next) {
        await course.stop();
        course = await startCourse(setup, next);
      }
    }
  } finally {
    hooks.signal?.removeEventListener('abort', stop);
    await course.stop();
  }
  return history;
}

const CHECKPOINT_MINUTES = 5;
/** Seconds of an evaluation that nobody would wait for who has been told to stop. */
const LONG = 1;

const stopped = () =>
  new TrainError(
    'training was stopped; its state is what onCheckpoint or onEpoch was given last.',
    'stopped',
  );

function otherCopy(run: SharedRun, weights: Float32Array): Float32Array {
  return weights === run.weights[0] ? run.weights[1] : run.weights[0];
}

const byOutput = ({ outputs }: Objective, errors: readonly number[]) =>
  Object.fromEntries(outputs.map(({ name }, i) => [name, errors[i] as number]));

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

/** Places of the outputs whose loss is a function. */
const lossFunctions = ({ outputs }: Objective) =>
  outputs.flatMap(({ loss }, i) => (typeof loss === 'function' ? [i] : []));

/** A function is in no file: whoever goes on has to give it again. */
function checkFunctions(objective: Objective, { lossFunctions: before = [] }: TrainState): void {
  const other = objective.outputs.findIndex(
    ({ loss }, i) => (typeof loss === 'function') !== before.includes(i),
  );
  if (other < 0) return;
  const name = objective.outputs[other]?.name;
  throw new TrainError(
    before.includes(other)
      ? `the state to resume from was trained with a function as the loss of '${name}', which no checkpoint holds; give the same function as loss again.`
      : `loss: a function for '${name}', but the state to resume from was trained without one; give the loss that it was trained with, or begin anew.`,
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
