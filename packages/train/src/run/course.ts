import type { Dataset } from '@sbp/data';
import { variationalsOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import type { ResolvedTrainConfig } from '../config.js';
import type { Objective } from '../objective/objective.js';
import type { Team } from '../replicas/team.js';
import { readWeights, weightLayout, writeWeights } from '../step/layout.js';
import { drownOthers, type Live, liveGroups, liveMacs, narrowed } from './narrow.js';
import { type SharedRun, sharedRun } from './shared-run.js';
import { heldWeights, type TrainState } from './state.js';

interface Setup {
  model: tf.LayersModel;
  data: { train: Dataset; test: Dataset };
  config: ResolvedTrainConfig;
  objective: Objective;
  replicas: number;
  /** Starts a run's replicas. */
  start(model: tf.LayersModel, run: SharedRun): Team | Promise<Team>;
}

/** The whole model's numbers, and which of its groups are still trained. */
type State = Pick<TrainState, 'weights' | 'm' | 'v' | 'average' | 'live'>;

/** What is trained for some epochs: the model, or a narrow one in its place, by replicas of its own. */
export interface Course {
  run: SharedRun;
  team: Team;
  /** The whole model's state, with `weights` of the run in it. Overwritten by the next call. */
  state(weights: Float32Array): State;
  stop(): Promise<void>;
}

/** Begins where a state says, without one where the model is. */
export async function startCourse(setup: Setup, from?: State): Promise<Course> {
  const { model, data, config, objective, replicas } = setup;
  for (const noise of variationalsOf(model)) noise.trainExamples ??= data.train.size;
  const narrow = from?.live && narrowed(model, from.live);
  const run = sharedRun(narrow?.model ?? model, data, config, objective, replicas);
  const take = (target: Float32Array, source: Float32Array) =>
    narrow ? gather(source, narrow.at, target) : target.set(source);
  if (from) {
    // Both copies: whichever the next step reads, and the last good ones should it fail.
    for (const copy of run.weights) take(copy, from.weights);
    take(run.m, from.m);
    take(run.v, from.v);
  } else readWeights(weightLayout(model).slots, run.weights[0]);
  // an average begins where the weights are
  if (run.average && from?.average) take(run.average, from.average);
  else run.average?.set(run.weights[0]);
  const team = await setup.start(narrow?.model ?? model, run);
  const stop = async () => {
    await team.stop();
    narrow?.model.dispose();
  };
  const { m, v, average } = run;
  if (!from || !narrow)
    return { run, team, stop, state: (weights) => ({ weights, m, v, ...(average && { average }) }) };
  const whole = {
    weights: from.weights.slice(),
    m: from.m.slice(),
    v: from.v.slice(),
    // what has gone has no other average than itself
    ...(average && { average: heldWeights(from).slice() }),
    live: from.live,
  };
  const state = (weights: Float32Array) => {
    scatter(weights, narrow.at, whole.weights);
    scatter(m, narrow.at, whole.m);
    scatter(v, narrow.at, whole.v);
    if (average) scatter(average, narrow.at, whole.average as Float32Array);
    return whole;
  };
  return { run, team, stop, state };
}

/** Share of the multiply-accumulates below which it is worth while to start a narrower course. */
const WORTHWHILE = 0.9;

/**
 * The state to go on from without the groups that have drowned, where that is enough fewer.
 *
 * @param model holds the state's weights, or their average, by which it is told what has drowned
 */
export function narrower(model: tf.LayersModel, state: State): State | undefined {
  const live: Live = liveGroups(model, state.live);
  if (liveMacs(model, live) > WORTHWHILE * liveMacs(model, state.live ?? {})) return undefined;
  const { slots } = weightLayout(model);
  const drowned = (vector: Float32Array) => {
    writeWeights(tf, slots, vector);
    drownOthers(model, live);
    const after = new Float32Array(vector.length);
    readWeights(slots, after);
    return after;
  };
  const weights = drowned(state.weights);
  // last, so that it is what the model holds
  return { ...state, weights, ...(state.average && { average: drowned(state.average) }), live };
}

function gather(whole: Float32Array, at: Uint32Array, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = whole[at[i] as number] as number;
}

function scatter(narrow: Float32Array, at: Uint32Array, into: Float32Array): void {
  for (let i = 0; i < narrow.length; i++) into[at[i] as number] = narrow[i] as number;
}
