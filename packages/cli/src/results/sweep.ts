import { existsSync } from 'node:fs';
import { type Column, type SweepPoint, table } from '@sbp/bench';
import type { Dataset } from '@sbp/data';
import { noisesOf } from '@sbp/layers';
import { loadModel } from '@sbp/model';
import { pruneModel } from '@sbp/prune';
import { errorOn, errorTitle, type Objective, objectiveOf } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { UsageError } from '../words/failure.js';
import { errorColumn } from '../measure/figures.js';
import { knownSet, knownSetNames } from '../config/known-sets.js';
import { objectiveFor } from '../measure/measured.js';
import type { RunConfig } from '../config/run-config.js';
import { loadData, type RunData } from '../run/data/run-data.js';
import { runFields } from '../config/run-fields.js';
import { openModel } from '../run/open-model.js';
import { readConfig, runPaths } from '../run/run-folder.js';
import { modelAsItIs } from '../run/model/run-model.js';
import { methodTitles, netTitle } from '../config/titles.js';
import { duration } from '../words/words.js';

/** 0, 0.1 … 2. */
export const thresholds: readonly number[] = Array.from({ length: 21 }, (_, i) => i / 10);

/** One trained network at several thresholds. */
export interface Sweep {
  /** The network that was cut, by where it was read from. */
  sweep: string;
  /** Names its curve in plots. */
  title: string;
  net: string;
  budget: RunConfig['budget'];
  /** What the errors are. */
  measure: string;
  /** Multiply-accumulates before the cut. */
  macs: number;
  /** Of the thresholds with the least error on the held-out images, that with the fewest MACs; only where images were held out. */
  chosen?: number;
  rows: SweepRow[];
}

export interface SweepRow extends SweepPoint {
  /** Groups that stay, by layer. */
  kept: Record<string, number>;
  reduction: number;
}

/** What is swept: a trained network, and what it is measured on. */
interface Trained extends Pick<Sweep, 'title' | 'net' | 'budget'> {
  model: tf.LayersModel;
  /** @param folder of data, in place of the run's */
  data(folder: string | undefined, stream: NodeJS.WriteStream): Promise<RunData>;
  objective(data: Dataset): Objective;
}

/** What to sweep: a run, whose config says on which data, or a model. */
export async function openTrained(path: string): Promise<Trained> {
  const paths = runPaths(path);
  const isRun = existsSync(paths.config) && existsSync(paths.trained);
  const model = await openModel(isRun ? paths.trained : path);
  if (noisesOf(model).length === 0)
    throw new UsageError(
      `${path} has no noise on its groups, so there is no threshold to choose; give a run of structured-bp, or its trained/model.json.`,
    );
  if (!isRun) {
    const source = sourceFor(model, path);
    return {
      ...{ model, title: path, net: model.name, budget: 'full' },
      data: (folder, stream) =>
        loadData(runFields.shape.data.parse({ source, folder }), stream, () => loadModel(path)),
      objective: (data) => objectiveOf(model, data, { labelSmoothing: 0 }),
    };
  }
  const config = readConfig(paths.config);
  const { data } = config;
  return {
    model,
    title: config.title ?? methodTitles[config.method],
    net: netTitle(config),
    budget: config.budget,
    data: (folder, stream) => {
      const given = folder !== undefined && (knownSet(data.source) ? { folder } : { source: folder });
      return loadData({ ...data, ...given }, stream, () => modelAsItIs(config, paths));
    },
    objective: (set) => objectiveFor(config, model, set),
  };
}

/** The known data set whose images a model takes. */
function sourceFor(model: tf.LayersModel, path: string): string {
  const shapeOf = (name: string) => knownSet(name)!.shape.join('×');
  const shape = model.inputs[0]!.shape.slice(1).join('×');
  const found = knownSetNames.find((name) => shapeOf(name) === shape);
  if (found) return found;
  throw new UsageError(
    `${path} takes images of ${shape}; expected ${knownSetNames.map((name) => `${shapeOf(name)} (${name})`).join(' or ')}; of data of your own give the run's folder.`,
  );
}

/**
 * Cuts a trained network at each threshold and measures it.
 *
 * @param say told how far it is, and how long it will take
 */
export async function sweepThresholds(
  model: tf.LayersModel,
  { data, objective }: { data: RunData; objective: Objective },
  say: (line: string) => void,
): Promise<Pick<Sweep, 'measure' | 'macs' | 'chosen' | 'rows'>> {
  const measure = errorTitle(objective);
  const isShare = measure.endsWith('%');
  const sets: Record<string, Dataset> = {
    ...(data.test !== data.train && { 'test set': data.test }),
    'training set': data.train,
    ...(data.validation && { 'held-out set': data.validation }),
  };
  const rows: SweepRow[] = [];
  const began = performance.now();
  let macs = 0;
  for (const [i, threshold] of thresholds.entries()) {
    const { model: cut, report } = pruneModel(model, { threshold });
    macs = report.before.macs;
    const kept = Object.fromEntries(report.layers.map((layer) => [layer.name, layer.kept]));
    const before = rows.at(-1);
    // Most thresholds that lie next to each other keep the same groups.
    const same = before && Object.keys(kept).every((name) => kept[name] === before.kept[name]);
    const measured = () =>
      Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, errorOn(cut, set, objective)]));
    const errors = same ? before.errors : measured();
    // Of the widths, as tables count: without the rows of zeros that tfjs needs to build them.
    const cost = report.after.macs - report.zeroRows.macs;
    rows.push({ threshold, kept, macs: cost, reduction: report.before.macs / cost, errors });
    cut.dispose();
    const left = ((performance.now() - began) / 1000 / (i + 1)) * (thresholds.length - i - 1);
    const found = Object.entries(errors).map(
      ([name, error]) => `${name} ${isShare ? `${error.toFixed(2)} %` : error.toPrecision(4)}`,
    );
    say(
      `threshold ${threshold.toFixed(1)}  ${Object.values(kept).join('-')}  ${(report.before.macs / cost).toFixed(2)}×  ${found.join('  ')}  ${duration(left)} left`,
    );
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { measure, macs, ...(data.validation && { chosen: choose(rows) }), rows };
}

function choose(rows: readonly SweepRow[]): number {
  const order = (a: SweepRow, b: SweepRow) =>
    a.errors['held-out set']! - b.errors['held-out set']! || a.macs - b.macs;
  return [...rows].sort(order)[0]!.threshold;
}

/** The sweep as a table in Markdown. */
export function sweepTable({ rows, chosen, measure }: Sweep): string {
  const sets = Object.keys(rows[0]!.errors);
  const columns: Column[] = [
    { key: 'threshold', digits: 1 },
    { key: 'kept', title: Object.keys(rows[0]!.kept).join('-') },
    { key: 'macs', title: 'MACs', digits: 0 },
    { key: 'reduction', title: 'MACs reduced', digits: 2, unit: '×' },
    ...sets.map((set) => ({ ...errorColumn(measure), key: set, title: `${measure}, ${set}` })),
  ];
  const flat = rows.map(({ errors, kept, ...row }) => ({
    ...row,
    ...errors,
    kept: Object.values(kept).join('-'),
  }));
  const choice =
    chosen === undefined
      ? []
      : [`Of the least error on the held-out images: threshold ${chosen.toFixed(1)}.`];
  return [table<Record<string, unknown>>(flat, columns), ...choice].join('\n\n');
}
