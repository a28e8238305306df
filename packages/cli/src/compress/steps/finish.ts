import { join } from 'node:path';
import { environment } from '@sbp/bench';
import { subset } from '@sbp/data';
import { loadModel, modelBytes, saveModel } from '@sbp/model';
import { countFlops, exportOnnx } from '@sbp/prune';
import { errorOn, errorTitle, lossTitle } from '@sbp/train';
import { writeAtomically } from '@sbp/train/checkpoint';
import { checkOnnx, timeOnRuntimes } from '../../measure/runtimes.js';
import { countsOf } from '../../run/run.js';
import { readJson, readMetrics, writeJson } from '../../run/run-folder.js';
import { trainedOn } from '../../run/training.js';
import { version } from '../../version.js';
import { isByNoise } from '../criterion.js';
import { curveOf } from '../curve.js';
import { resultOf, sealStep } from '../done.js';
import type { Job } from '../job.js';
import { compressPage } from '../report/page.js';
import type { CompressResult } from '../report/result.js';
import type { Cut } from './cut.js';
import type { Measured } from './measure.js';

/** Test examples that the ONNX file is compared on. */
const EXAMPLES = 100;

/** Shares of the MACs that the error is measured at, for the curve. */
const SHARES = [1, 0.7, 0.5, 0.35, 0.25, 0.15];

/** Checks and times the smaller model, and leaves it with its ONNX file, the report and all figures. */
export async function finishStep(job: Job, measured: Measured): Promise<CompressResult> {
  const began = performance.now();
  const { paths, settings, data, objective, original, on, say } = job;
  const model = await loadModel(paths.tune.model);
  const bytes = await modelBytes(model);
  const onnx = exportOnnx(model);
  const { macs, params } = countFlops(model);
  const { report, error: errorOfCut, took } = readJson<Cut>(paths.cutDone);
  const error = errorOn(model, data.test, objective);
  const some = subset(data.test, Math.min(EXAMPLES, data.test.size));
  const agreement = await checkOnnx('model.onnx', model, onnx, { test: some, objective });
  say('Timing the model as it was and the smaller one, in turns');
  const entries = [
    { name: 'before', model: original },
    { name: 'after', model },
  ];
  const runtimes = new Set(['onnxruntime' as const, on.engine.name]);
  const timed = await timeOnRuntimes(runtimes, entries, { batchSizes: [1], repeats: 12 });
  for (const absent of timed.absent) say(absent);
  const history = {
    noise: isByNoise(settings.criterion) ? readMetrics(paths.noise.metrics) : [],
    tune: readMetrics(paths.tune.metrics),
  };
  const trained = [...history.noise, ...history.tune].reduce((sum, epoch) => sum + epoch.seconds, 0);
  const curve = await curveOf(job, SHARES);
  const seconds = measured.took + trained + took + (performance.now() - began) / 1000;
  const result: CompressResult = {
    ...{ settings, target: settings.target, measure: errorTitle(objective) },
    losses: objective.outputs.map((output) => ({
      output: output.name,
      loss: lossTitle(output),
      weight: output.weight,
    })),
    examples: countsOf(data),
    before: { error: measured.error, macs: measured.macs, params: measured.params, bytes: measured.bytes },
    cut: { error: errorOfCut, macs, params, bytes },
    after: { error, macs, params, bytes },
    ...{ report, curve, history },
    ...(agreement && { onnx: { examples: agreement.examples, largest: agreement.maxDifference } }),
    ...{ timings: timed.timings, runtimes: timed.runtimes },
    ...{ seconds, estimated: measured.seconds },
    on: trainedOn(on),
    ...{ environment: environment(), version },
  };
  await saveModel(model, paths.model);
  const classes = data.test.targets.find(({ kind }) => kind === 'classes')?.classes;
  if (classes) writeAtomically(join(paths.folder, 'labels.txt'), `${classes.join('\n')}\n`);
  writeAtomically(paths.onnx, onnx);
  writeAtomically(paths.report, compressPage(result, { original, model, test: data.test }));
  writeJson(paths.result, result);
  sealStep(paths, resultOf(paths));
  return result;
}
