import { existsSync } from 'node:fs';
import { environment, type ModelTiming, timeModels, trainingChart, widthsChart } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { countFlops } from '@sbp/prune';
import type { EpochMetrics } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { type Figures, figuresNote, figuresTable } from '../figures.js';
import { loadModel, modelBytes } from '../model-files.js';
import { methodTitles, netTitle, netWidths, plainNet } from '../nets.js';
import { lastError, type Run, readFineTuned, readTrained, type Trained } from '../run.js';
import { dataSets, type RunConfig } from '../run-config.js';
import { type RunPaths, readJson, writeAtomically, writeJson } from '../run-folder.js';
import { version } from '../version.js';
import { plural } from '../words.js';
import type { Pruning } from './prune.js';

/** A network of the run, as it is on the disk. */
interface Candidate {
  method: string;
  model: tf.LayersModel;
  bytes: number;
  error: number | null;
  widths: string;
  timed: boolean;
}

/** Times the run's networks beside the original and writes the run's results. */
export async function benchPhase({ config, paths, say }: Run): Promise<void> {
  const trained = readTrained(paths);
  const engine = await useEngine(trained.engine.name);
  const candidates = await networks(config, paths, trained);
  const timed = candidates.filter((candidate) => candidate.timed);
  if (timed.length > 1)
    say(`Timing it beside the original at batch ${config.bench.batchSizes.join(' and ')} …`);
  const timings = await timeModels(
    timed.map(({ method, model }) => ({ name: method, model })),
    config.bench,
  );
  const rows = figures(candidates, timings);
  const pruning = existsSync(paths.pruning) ? readJson<Pruning>(paths.pruning) : undefined;
  const tuned = config.fineTune && readFineTuned(paths);
  const title = `${netTitle(config)} on ${dataSets[config.data.set].title}, ${plural(config.train.epochs, 'epoch')}`;
  const table = figuresTable(rows, config.bench.batchSizes, engine.device);
  writeAtomically(paths.table, `${table}\n\n${figuresNote(title, engine)}\n`);
  writeAtomically(paths.trainingChart, trainingChart(trained.history, { title }));
  if (pruning) writeAtomically(paths.widthsChart, chartOfWidths(pruning, title));
  writeJson(paths.result, {
    config,
    version,
    environment: environment(),
    engine: trained.engine,
    replicas: trained.replicas,
    rows,
    ...(pruning && {
      report: pruning.report,
      agreement: pruning.agreement,
      tolerance: pruning.tolerance,
    }),
    timings,
    history: trained.history,
    ...(tuned && { fineTuning: tuned }),
  } satisfies RunResult);
  for (const { model } of candidates) model.dispose();
}

/** Everything measured in a run: its `result.json`. */
export interface RunResult extends Trained {
  config: RunConfig;
  version: string;
  environment: ReturnType<typeof environment>;
  /** The original and what became of it; the last one is what the run came to. */
  rows: Figures[];
  report?: Pruning['report'];
  agreement?: Pruning['agreement'];
  tolerance?: number;
  timings: ModelTiming[];
  history: EpochMetrics[];
  fineTuning?: Trained;
}

async function networks(config: RunConfig, paths: RunPaths, trained: Trained): Promise<Candidate[]> {
  const title = config.title ?? methodTitles[config.method];
  const open = async (folder: string) => {
    const model = await loadModel(folder);
    return { model, bytes: await modelBytes(model) };
  };
  const wide = netWidths(config).join('-');
  const original = { method: 'Original', widths: wide, timed: true };
  if (config.method === 'original')
    return [{ ...original, ...(await open(paths.trained)), error: lastError(trained) }];
  const { report, error } = readJson<Pruning>(paths.pruning);
  const model = plainNet(config);
  const cut = report.widths.join('-');
  const tuned = config.fineTune && lastError(readFineTuned(paths));
  return [
    { ...original, model, bytes: await modelBytes(model), error: null },
    {
      method: `${title} noisy`,
      ...(await open(paths.noisy)),
      error: lastError(trained),
      widths: wide,
      timed: false,
    },
    { method: `${title} pruned`, ...(await open(paths.pruned)), error, widths: cut, timed: !config.fineTune },
    ...(tuned === undefined
      ? []
      : [
          {
            method: `${title} fine-tuned`,
            ...(await open(paths.tuned)),
            error: tuned,
            widths: cut,
            timed: true,
          },
        ]),
  ];
}

function figures(candidates: readonly Candidate[], timings: readonly ModelTiming[]): Figures[] {
  const [original] = candidates;
  const before = countFlops(original!.model);
  return candidates.map(({ method, model, bytes, error, widths, timed }) => {
    const { macs, params } = countFlops(model);
    const own = timings.filter(({ name }) => name === method);
    return {
      method,
      error,
      widths,
      parameters: params,
      macs,
      reduction: before.macs / macs,
      bytes,
      speedup: timed ? Object.fromEntries(own.map((t) => [t.batchSize, t.speedup])) : null,
    };
  });
}

function chartOfWidths({ report: { layers } }: Pruning, title: string): string {
  const by = (key: 'groups' | 'kept') => Object.fromEntries(layers.map((layer) => [layer.name, layer[key]]));
  return widthsChart(by('groups'), by('kept'), { title });
}
