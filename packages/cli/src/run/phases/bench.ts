import { existsSync } from 'node:fs';
import { environment, snrChart, trainingChart } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { loadModel, modelBytes } from '@sbp/model';
import { countFlops, exportOnnx } from '@sbp/prune';
import { type EpochMetrics, errorOn } from '@sbp/train';
import { writeAtomically } from '@sbp/train/checkpoint';
import type * as tf from '@tensorflow/tfjs';
import { paperNet } from '../../config/paper-nets.js';
import type { RunConfig } from '../../config/run-config.js';
import { dataTitle, methodTitles, netTitle } from '../../config/titles.js';
import type { Agreement } from '../../measure/agreement.js';
import {
  chartOfWidths,
  type Figures,
  figuresNote,
  figuresTable,
  type Runtime,
} from '../../measure/figures.js';
import { objectiveFor } from '../../measure/measured.js';
import { checkOnnx, type RuntimeTiming, timeOnRuntimes } from '../../measure/runtimes.js';
import { version } from '../../version.js';
import { plural } from '../../words/words.js';
import { originalModel, widthsOf } from '../model/run-model.js';
import { dataOf, lastError, type Run, readFineTuned, readTrained, type Trained } from '../run.js';
import { readJson, writeJson } from '../run-folder.js';
import { trainedSnr } from '../signal-to-noise.js';
import type { Pruning } from './prune.js';

/** A network of the run, as it is on the disk. */
interface Candidate {
  method: string;
  model: tf.LayersModel;
  bytes: number;
  error: number | null;
  widths: string;
  zeroRowMacs: number;
  timed: boolean;
}

/** Times the run's networks beside the original, exports what it came to, and writes the run's results. */
export async function benchPhase(run: Run): Promise<void> {
  const { config, paths, say } = run;
  const trained = readTrained(paths);
  await useEngine(trained.engine.name);
  const candidates = await networks(run, trained);
  const onnx = await exportLast(run, candidates.at(-1)!);
  const entries = candidates
    .filter(({ timed }) => timed)
    .map(({ method, model }) => ({ name: method, model }));
  const { runtimes: asked, ...options } = config.bench;
  if (entries.length > 1 && asked.length > 0)
    say(`Timing it beside the original at batch ${options.batchSizes.join(' and ')} …`);
  const where = new Set(asked.map((name) => (name === 'engine' ? trained.engine.name : name)));
  const { timings, runtimes, absent } = await timeOnRuntimes(where, entries, options);
  for (const reason of absent) say(reason);
  const rows = candidates.map((candidate) => figures(candidate, candidates[0]!.model, timings));
  const pruning = existsSync(paths.pruning) ? readJson<Pruning>(paths.pruning) : undefined;
  const tuned = config.fineTune && readFineTuned(paths);
  const title = `${netTitle(config)} on ${dataTitle(config.data)}, ${plural(config.train.epochs, 'epoch')}`;
  writeAtomically(paths.table, `${figuresTable(rows, trained.measure)}\n\n${figuresNote(title, runtimes)}\n`);
  const { measure } = trained;
  writeAtomically(paths.trainingChart, trainingChart(trained.history, { title, measure }));
  if (pruning) writeAtomically(paths.widthsChart, chartOfWidths(pruning.report.layers, { title }));
  const snr = await trainedSnr(config, paths);
  if (snr) writeAtomically(paths.snrChart, snrChart(snr, { title }));
  writeJson(paths.result, {
    config,
    version,
    environment: environment(),
    engine: trained.engine,
    replicas: trained.replicas,
    ...(trained.measure && { measure: trained.measure }),
    ...(trained.examples && { examples: trained.examples }),
    rows,
    ...(pruning && {
      gather: pruning.gather,
      report: pruning.report,
      agreement: pruning.agreement,
      tolerance: pruning.tolerance,
    }),
    ...(onnx && { onnx }),
    runtimes,
    timings,
    history: trained.history,
    ...(tuned && { fineTuning: tuned }),
  } satisfies RunResult);
  for (const { model } of candidates) model.dispose();
}

/** The network as an ONNX file, checked on every test example. */
async function exportLast(run: Run, { model }: Candidate): Promise<RunResult['onnx']> {
  const { config, paths } = run;
  const file = exportOnnx(model);
  writeAtomically(paths.onnx, file);
  if (!config.bench.runtimes.includes('onnxruntime')) return undefined;
  const { test } = await dataOf(run);
  const objective = objectiveFor(config, model, test);
  const agreement = await checkOnnx('network.onnx', model, file, { test, objective });
  return agreement && { bytes: file.length, ...agreement };
}

/** Everything measured in a run: its `result.json`. */
export interface RunResult extends Trained {
  config: RunConfig;
  version: string;
  environment: ReturnType<typeof environment>;
  /** The original and what became of it; the last one is what the run came to. */
  rows: Figures[];
  gather?: boolean;
  report?: Pruning['report'];
  agreement?: Pruning['agreement'];
  tolerance?: number;
  /** Of the ONNX file, ONNX Runtime against tfjs. */
  onnx?: Agreement & { bytes: number; tolerance: number };
  /** What was timed on. */
  runtimes: string[];
  timings: RuntimeTiming[];
  history: EpochMetrics[];
  fineTuning?: Trained;
}

async function networks(run: Run, trained: Trained): Promise<Candidate[]> {
  const { config, paths } = run;
  const title = config.title ?? methodTitles[config.method];
  const open = async (folder: string) => {
    const model = await loadModel(folder);
    return { model, bytes: await modelBytes(model) };
  };
  const model = await originalModel(config, paths);
  const wide = widthsOf(config, model).join('-');
  const original = { method: 'Original', widths: wide, zeroRowMacs: 0, timed: true };
  if (config.method === 'original') {
    model.dispose();
    return [{ ...original, ...(await open(paths.trained)), error: lastError(trained) }];
  }
  const { report, error } = readJson<Pruning>(paths.pruning);
  const cut = report.widths.join('-');
  const zeroRowMacs = report.zeroRows.macs;
  const tuned = config.fineTune && lastError(readFineTuned(paths));
  return [
    { ...original, model, bytes: await modelBytes(model), error: await errorBefore(run, model) },
    {
      method: `${title} ${config.method === 'structured-bp' ? 'noisy' : 'trained'}`,
      ...(await open(paths.noisy)),
      error: lastError(trained),
      widths: wide,
      zeroRowMacs: 0,
      timed: false,
    },
    {
      method: `${title} pruned`,
      ...(await open(paths.pruned)),
      error,
      widths: cut,
      zeroRowMacs,
      timed: !config.fineTune,
    },
    ...(tuned === undefined
      ? []
      : [
          {
            method: `${title} fine-tuned`,
            ...(await open(paths.tuned)),
            error: tuned,
            widths: cut,
            zeroRowMacs,
            timed: true,
          },
        ]),
  ];
}

/** What a person's own model is worth before the run; the paper's networks have learned nothing then. */
async function errorBefore(run: Run, model: tf.LayersModel): Promise<number | null> {
  if (paperNet(run.config.model)) return null;
  const { test } = await dataOf(run);
  return errorOn(model, test, objectiveFor(run.config, model, test));
}

function figures(
  { method, model, bytes, error, widths, zeroRowMacs, timed }: Candidate,
  original: tf.LayersModel,
  timings: RunResult['timings'],
): Figures {
  const { macs, params } = countFlops(model);
  const own = timings.filter(({ name }) => name === method);
  return {
    method,
    error,
    widths,
    parameters: params,
    macs,
    reduction: countFlops(original).macs / macs,
    zeroRowMacs,
    bytes,
    speedups:
      timed && own.length > 0
        ? own.map(({ engine, device, batchSize, speedup }) => ({
            runtime: engine as Runtime,
            device,
            batchSize,
            speedup,
          }))
        : null,
  };
}
