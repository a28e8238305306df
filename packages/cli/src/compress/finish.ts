import { environment } from '@sbp/bench';
import { batchArrays, type Dataset, readBatch } from '@sbp/data';
import { loadModel, saveModel } from '@sbp/model';
import { countFlops, exportOnnx, PruneError, pruneModel } from '@sbp/prune';
import { errorOn, errorTitle, inputTensors } from '@sbp/train';
import { writeAtomically } from '@sbp/train/checkpoint';
import * as tf from '@tensorflow/tfjs';
import { timeOnRuntimes } from '../measure/runtimes.js';
import { readJson, readMetrics, writeJson } from '../run/run-folder.js';
import { version } from '../version.js';
import { RunError } from '../words/failure.js';
import { count } from '../words/words.js';
import type { Cut } from './cut.js';
import type { Job } from './job.js';
import type { Measured } from './measure.js';
import { compressPage } from './page.js';
import { recalibrated } from './recalibrated.js';
import type { CompressResult } from './result.js';

/** How far outputs on ONNX Runtime and on tfjs may be apart, of the largest. */
const TOLERANCE = 1e-4;

/** Shares of the MACs that the error is measured at, for the curve. */
const SHARES = [1, 0.7, 0.5, 0.35, 0.25, 0.15];

/** Checks and times the smaller model, and leaves it with its ONNX file, the report and all figures. */
export async function finishStep(job: Job, measured: Measured): Promise<CompressResult> {
  const began = performance.now();
  const { paths, settings, data, objective, original, on, say } = job;
  const model = await loadModel(paths.tuned);
  const bytes = await saveModel(model, paths.model);
  const onnx = exportOnnx(model);
  writeAtomically(paths.onnx, onnx);
  const { macs, params } = countFlops(model);
  const { report, error: errorOfCut, took } = readJson<Cut>(paths.cutDone);
  const error = errorOn(model, data.test, objective);
  const agreement = await beside(model, onnx, data.test);
  say('Timing the model as it was and the smaller one, in turns');
  const entries = [
    { name: 'before', model: original },
    { name: 'after', model },
  ];
  const runtimes = new Set(['onnxruntime' as const, on.engine.name]);
  const timed = await timeOnRuntimes(runtimes, entries, { batchSizes: [1], repeats: 12 });
  for (const absent of timed.absent) say(absent);
  const history = { noise: readMetrics(paths.noiseMetrics), tune: readMetrics(paths.tuneMetrics) };
  const trained = [...history.noise, ...history.tune].reduce((sum, epoch) => sum + epoch.seconds, 0);
  const curve = await curveOf(job);
  const seconds = measured.took + trained + took + (performance.now() - began) / 1000;
  const result: CompressResult = {
    ...{ settings, target: settings.target, measure: errorTitle(objective) },
    losses: objective.outputs.map(({ name, loss, weight }) => ({ output: name, loss, weight })),
    examples: {
      train: data.train.size,
      ...(data.validation && { validation: data.validation.size }),
      test: data.test.size,
    },
    before: { error: measured.error, macs: measured.macs, params: measured.params, bytes: measured.bytes },
    cut: { error: errorOfCut, macs, params, bytes },
    after: { error, macs, params, bytes },
    ...{ report, curve, history },
    ...(agreement && { onnx: agreement }),
    ...{ timings: timed.timings, runtimes: timed.runtimes },
    ...{ seconds, estimated: measured.seconds },
    on: {
      engine: { name: on.engine.name, version: on.engine.version, device: on.engine.device },
      replicas: on.replicas,
    },
    ...{ environment: environment(), version },
  };
  writeAtomically(paths.report, await compressPage(result, { original, model, test: data.test }));
  writeJson(paths.result, result);
  return result;
}

/** The error of the trained noise cut at several targets. */
async function curveOf({ paths, data, objective, settings }: Job): Promise<CompressResult['curve']> {
  const noisy = await loadModel(paths.noise);
  const points: CompressResult['curve'] = [];
  for (const share of SHARES) {
    try {
      const { model, report } = pruneModel(noisy, { target: { macs: share } });
      await recalibrated(model, data.train, { batchSize: settings.batchSize, examples: 1000 });
      points.push({ share, macs: report.after.macs, error: errorOn(model, data.test, objective) });
      model.dispose();
    } catch (error) {
      // so few can't be had
      if (!(error instanceof PruneError)) throw error;
    }
  }
  noisy.dispose();
  return points;
}

const EXAMPLES = 100;

/** Compares the model with its ONNX file on test examples. @returns undefined where ONNX Runtime is not installed */
async function beside(
  model: tf.LayersModel,
  onnx: Uint8Array,
  test: Dataset,
): Promise<CompressResult['onnx']> {
  const { OnnxRuntimeAbsentError, openOnnx } = await import('@sbp/bench');
  const examples = Math.min(EXAMPLES, test.size);
  const indices = Uint32Array.from({ length: examples }, (_, i) => i);
  const batch = readBatch(test, indices, batchArrays(test, examples));
  const inputs = inputTensors(model, test)(batch.inputs, examples);
  const outputs = [model.predict(inputs) as tf.Tensor | tf.Tensor[]].flat();
  try {
    const session = await openOnnx({ name: 'model.onnx', onnx });
    const feeds = Object.fromEntries(
      inputs.map((tensor, i) => [
        model.inputNames[i]!,
        { data: tensor.dataSync<'float32'>().slice() as Float32Array, shape: tensor.shape },
      ]),
    );
    const found = await session.run(feeds);
    await session.release();
    let [largest, scale] = [0, 1e-9];
    outputs.forEach((output, i) => {
      output.dataSync<'float32'>().forEach((value, k) => {
        const difference = Math.abs(value - found[i]![k]!);
        largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
        scale = Math.max(scale, Math.abs(value));
      });
    });
    if (largest <= TOLERANCE * Math.max(1, scale)) return { examples, largest };
    throw new RunError(
      `model.onnx is not the model that was exported: an output differs by ${largest.toExponential(1)} on ${count(examples)} test examples. Please report this with the folder.`,
    );
  } catch (error) {
    if (error instanceof OnnxRuntimeAbsentError) return undefined;
    throw error;
  } finally {
    tf.dispose([inputs, outputs]);
  }
}
