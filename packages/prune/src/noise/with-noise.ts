import { type LogNormalDropoutConfig, logNormalDropout } from '@sbp/layers';
import { truncatedLogNormal } from '@sbp/math';
import type { InputShapes } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { agreedTargets, allOf, applyTargets, targetsAt, targetsBehind } from '../cut/fold.js';
import { keepAll } from '../cut/plan.js';
import { assemble } from '../cut/surgery.js';
import { PruneError } from '../errors.js';
import type { Op, Value } from '../ops/op.js';
import { type OpGraph, readOps } from '../ops/read-ops.js';
import { makeLayer } from '../ops/stock.js';
import { type Place, placesOf } from './places.js';
import { groupSetsOf } from './sets.js';
import { unitPlacesOf } from './units.js';

/** Settings of the noise, for every set of groups alike. */
export type WithNoiseOptions = Omit<LogNormalDropoutConfig, 'name' | 'inputShape' | 'batchInputShape'> & {
  /** The layers whose groups get noise, by name or by a predicate; default: all that can go. */
  readonly at?: readonly string[] | ((layer: tf.layers.Layer) => boolean);
  /**
   * Noise on single units, too: on features and pixels that a dense layer reads, and on flattened channels. For {@link pruneModel}'s `gather`; what it says of tfjs's own engines holds. Default false.
   */
  readonly gather?: boolean;
  /** Sizes of inputs that the model leaves open, without the batch. */
  readonly inputShapes?: InputShapes;
};

/**
 * The same model, weights kept, with log-normal noise on every set of groups that can go, and the same outputs at inference as before: E θ at the start is
 * taken out of the weights that read them. Train it, then {@link pruneModel}.
 *
 * Noise stands right before what reads a group by its kernel, behind batch norm and activation, so that a drowned group leaves nothing behind. What a sum, a
 * product or shared weights tie together, a residual stream above all, has one noise, shared by all its readers. Nested models are opened.
 * The model is not compiled; the given one is not changed, and the caller owns both.
 *
 * @throws PruneError for models that cannot be cut, that have noise already, or of which nothing can go; and for noise that starts below its threshold
 */
export function withNoise(model: tf.LayersModel, options: WithNoiseOptions = {}): tf.LayersModel {
  const { at, gather = false, inputShapes, ...noise } = options;
  const graph = readOps(model, { threshold: 0, inputShapes, forTraining: true });
  const noisy = graph.ops.find((op) => op.noise || op.noiseParams);
  if (noisy) throw new PruneError(`layer '${noisy.name}' has noise already`, noisy.name);
  const sets = groupSetsOf(graph);
  const wanted = chosen(graph, at);
  const given = new Map<string, Given>();
  const put = (maker: string, groups: number, places: readonly Place[]) => {
    const name = freeName(graph, `${maker}_noise`);
    const layer = logNormalDropout({ ...noise, name });
    const start = startOf(layer, name);
    const own = takeOut(start, groups, places) ? [layer] : [layer, backTo1(start, name)];
    for (const { value, readings } of places)
      for (const { op, input } of readings) given.set(edge(graph, op, input), { layers: own, value });
  };
  for (const [set, places] of placesOf(graph, sets)) {
    if (set.fixedBy !== undefined || !set.makers.some(wanted) || !places.every(hasLastAxis)) continue;
    put(set.makers[0]!.name, set.groups, places);
  }
  for (const place of gather ? unitPlacesOf(graph) : []) {
    const { value, readings } = place;
    const isChosen = value.maker ? wanted(value.maker) : at === undefined;
    if (!isChosen || readings.some(({ op, input }) => given.has(edge(graph, op, input)))) continue;
    put(value.maker?.name ?? graph.inputNames[graph.inputs.indexOf(value)]!, value.groups, [place]);
  }
  if (given.size === 0)
    throw new PruneError(`model '${model.name}' has no groups that can go${at ? ' there' : ''}`);
  const made = new Map<Value, tf.SymbolicTensor>();
  return assemble(model, graph, keepAll(), (op, input, x) => {
    const own = given.get(edge(graph, op, input));
    if (!own) return x;
    const y =
      made.get(own.value) ?? own.layers.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
    made.set(own.value, y);
    return y;
  });
}

/** What a reader gets in place of a value. */
interface Given {
  readonly layers: readonly tf.layers.Layer[];
  readonly value: Value;
}

function freeName({ ops, inputNames }: OpGraph, wanted: string): string {
  const taken = new Set([...inputNames, ...ops.map(({ name }) => name)]);
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`;
  return name;
}

const edge = ({ ops }: OpGraph, op: Op, input: number) => `${ops.indexOf(op)} ${input}`;

/** Noise multiplies along the last axis. */
const hasLastAxis = ({ value }: Place) => value.axis === value.shape.length - 1;

function chosen({ ops }: OpGraph, at: WithNoiseOptions['at']): (op: Op) => boolean {
  if (at === undefined) return () => true;
  if (typeof at === 'function') return ({ layer }) => at(layer);
  const missing = at.find((name) => !ops.some((op) => op.layer.name === name || op.name === name));
  if (missing !== undefined) throw new PruneError(`at: the model has no layer '${missing}'`, missing);
  return ({ name, layer }) => at.includes(name) || at.includes(layer.name);
}

/** What a new noise multiplies by at inference. */
function startOf(layer: tf.layers.Layer, name: string): number {
  const { logSigmaInit, bounds, threshold } =
    layer.getConfig() as unknown as Required<LogNormalDropoutConfig>;
  const logSigma = Math.fround(logSigmaInit);
  const snr = truncatedLogNormal.snr(0, logSigma, bounds);
  if (snr > threshold) return truncatedLogNormal.mean(0, logSigma, bounds);
  throw new PruneError(
    `noise with logSigmaInit ${logSigmaInit} starts at a signal-to-noise ratio of ${snr.toPrecision(3)}, not above the threshold ${threshold}; give a lower logSigmaInit`,
    name,
  );
}

/** Takes what noise multiplies by at the start out of the weights that read the set's groups, or of those that make them; false where neither can be. */
function takeOut(start: number, groups: number, places: readonly Place[]): boolean {
  const factors = new Float64Array(groups).fill(1 / start);
  const ahead = ({ readings }: Place) => allOf(readings, ({ op, input }) => targetsAt(op, input, factors));
  const behind = ({ value, readings }: Place) => targetsBehind(value, factors, readings.length);
  const either = (place: Place) => ahead(place) ?? behind(place);
  for (const targets of [ahead, behind, either]) {
    const agreed = agreedTargets(allOf(places, targets));
    if (!agreed) continue;
    applyTargets(agreed);
    return true;
  }
  return false;
}

/** A layer that undoes what noise multiplies by at the start, for where no weights can. */
function backTo1(start: number, name: string): tf.layers.Layer {
  return makeLayer('Rescaling', { name: `${name}_start`, scale: 1 / start, offset: 0 });
}
