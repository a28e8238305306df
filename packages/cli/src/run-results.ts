import {
  environment,
  type ModelTiming,
  type ModelTimingOptions,
  timeModels,
  trainingChart,
  widthsChart,
} from '@sbp/bench';
import type { Dataset } from '@sbp/data';
import type { Engine } from '@sbp/engine';
import { countFlops, foldNoise, type PruneReport, pruneModel } from '@sbp/prune';
import { type EpochMetrics, errorPercent } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { type Agreement, agreements } from './agreement.js';
import { RunError } from './failure.js';
import { type Figures, figuresNote, figuresTable, layerLines } from './figures.js';
import { loadModel, modelBytes, saveModel } from './model-files.js';
import { buildNet, netTitle } from './nets.js';
import { dataSets, type RunConfig } from './run-config.js';
import { type RunPaths, writeAtomically } from './run-folder.js';
import { version } from './version.js';
import { count, plural } from './words.js';

/** How far probabilities of the noisy and the pruned network may be apart. */
const TOLERANCE = 1e-5;

interface Trained {
  paths: RunPaths;
  say: (line: string) => void;
  engine: Engine;
  replicas: number;
  data: { test: Dataset };
  model: tf.LayersModel;
  history: readonly EpochMetrics[];
}

/**
 * Prunes a trained network, checks on every test image that nothing changed, times it beside the original, and
 * writes the run's results.
 *
 * @throws RunError if the pruned network is not the noisy one
 */
export async function finishRun(config: RunConfig, trained: Trained): Promise<void> {
  const { paths, say, data, model } = trained;
  const { model: cut, report } = pruneModel(model);
  for (const line of layerLines(report)) say(`  ${line}`);
  await saveModel(model, paths.trained);
  const original = buildNet(config, false);
  const bytes = {
    original: await modelBytes(original),
    noisy: await saveModel(foldNoise(model), paths.noisy),
    pruned: await saveModel(cut, paths.pruned),
  };
  // What is on the disk is what is checked and timed.
  const noisy = await loadModel(paths.noisy);
  const pruned = await loadModel(paths.pruned);
  const [folded, agreement] = agreements(model, [noisy, pruned], data.test) as [Agreement, Agreement];
  check('noisy/model.json', folded);
  say(`Pruned network: ${check('pruned/model.json', agreement)}`);

  say(`Timing it beside the original at batch ${config.bench.batchSizes.join(' and ')} …`);
  const timings = await timeModels(
    [
      { name: 'Original', model: original },
      { name: 'StructuredBP pruned', model: pruned },
    ],
    config.bench satisfies ModelTimingOptions,
  );
  const rows = figures({ ...trained, report, timings, original, noisy, pruned, bytes });
  writeResults(config, trained, { rows, report, timings, agreement, tolerance: TOLERANCE });
}

/** @returns that all is well, in words */
function check(name: string, { examples, maxDifference, otherPredictions }: Agreement): string {
  const found = `largest difference of a probability ${maxDifference.toExponential(1)}, ${otherPredictions === 0 ? 'every prediction equal' : `${count(otherPredictions)} predictions differ`}, on ${count(examples)} test images`;
  if (maxDifference <= TOLERANCE && otherPredictions === 0) return `the same as the noisy one (${found})`;
  throw new RunError(
    `${name} is not the network that was trained: ${found}; expected at most ${TOLERANCE} and equal predictions. Please report this with the run's folder.`,
  );
}

function figures({
  data,
  history,
  report,
  timings,
  original,
  noisy,
  pruned,
  bytes,
}: Trained & {
  report: PruneReport;
  timings: readonly ModelTiming[];
  original: tf.LayersModel;
  noisy: tf.LayersModel;
  pruned: tf.LayersModel;
  bytes: Record<'original' | 'noisy' | 'pruned', number>;
}): Figures[] {
  const before = countFlops(original);
  const row = (model: tf.LayersModel) => {
    const { macs, params } = countFlops(model);
    return { parameters: params, macs, reduction: before.macs / macs };
  };
  const speedup = (name: string) =>
    Object.fromEntries(timings.filter((t) => t.name === name).map((t) => [t.batchSize, t.speedup]));
  const wide = report.layers.map(({ groups }) => groups).join('-');
  return [
    {
      method: 'Original',
      error: null,
      widths: wide,
      ...row(original),
      bytes: bytes.original,
      speedup: speedup('Original'),
    },
    {
      method: 'StructuredBP noisy',
      error: history.at(-1)!.error,
      widths: wide,
      ...row(noisy),
      bytes: bytes.noisy,
      speedup: null,
    },
    {
      method: 'StructuredBP pruned',
      error: errorPercent(pruned, data.test),
      widths: report.widths.join('-'),
      ...row(pruned),
      bytes: bytes.pruned,
      speedup: speedup('StructuredBP pruned'),
    },
  ];
}

function writeResults(
  config: RunConfig,
  { paths, engine, replicas, history }: Trained,
  results: {
    rows: Figures[];
    report: PruneReport;
    timings: readonly ModelTiming[];
    agreement: Agreement;
    tolerance: number;
  },
): void {
  const { rows, report } = results;
  const title = `${netTitle(config)} on ${dataSets[config.data.set].title}, ${plural(config.train.epochs, 'epoch')}`;
  const table = figuresTable(rows, config.bench.batchSizes, engine.device);
  writeAtomically(paths.table, `${table}\n\n${figuresNote(title, engine)}\n`);
  writeAtomically(paths.trainingChart, trainingChart(history, { title }));
  const layers = (key: 'groups' | 'kept') => Object.fromEntries(report.layers.map((l) => [l.name, l[key]]));
  writeAtomically(paths.widthsChart, widthsChart(layers('groups'), layers('kept'), { title }));
  const { name, version: engineVersion, device } = engine;
  const result = {
    config,
    version,
    environment: environment(),
    engine: { name, version: engineVersion, device },
    replicas,
    ...results,
    history,
  };
  writeAtomically(paths.result, `${JSON.stringify(result, undefined, 2)}\n`);
}
