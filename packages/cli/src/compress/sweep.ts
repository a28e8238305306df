import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Column, errorMacsChart, table } from '@sbp/bench';
import { loadModel } from '@sbp/model';
import { errorTitle } from '@sbp/train';
import { writeAtomically } from '@sbp/train/checkpoint';
import { clockOf } from '../measure/clocks.js';
import type { Runtime } from '../measure/figures.js';
import { readJson, writeJson } from '../run/run-folder.js';
import { UsageError } from '../words/failure.js';
import { count, print } from '../words/words.js';
import { isByNoise } from './criterion.js';
import { type CurvePoint, curveOf } from './curve.js';
import { engineFor, openJob } from './open-job.js';
import { compressPaths } from './paths.js';
import type { CompressResult } from './report/result.js';
import { readSettings } from './settings.js';

/** Shares of the multiply-accumulates that are tried. */
const SHARES = [1, 0.8, 0.65, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05];

export interface SweepOptions {
  /** Where table, picture and figures go; default: the compression's folder. */
  out?: string;
  /** What calls are timed on. */
  runtime: Runtime;
  /** Examples in a call. */
  batchSize: number;
  json?: boolean;
}

/** `sbp sweep-target`: one trained network at every target, as a table, a picture and figures. @throws UsageError where nothing is trained there */
export async function sweepTarget(
  folder: string,
  { out = folder, runtime, batchSize, json }: SweepOptions,
): Promise<void> {
  const paths = compressPaths(folder);
  const settings = readSettings(paths);
  if (settings.data === null || (isByNoise(settings.criterion) && !existsSync(paths.noise.done)))
    throw new UsageError(`${folder} has no trained network yet; run its sbp compress --data first.`);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const on = await engineFor(paths, settings);
  const original = await loadModel(settings.model);
  const job = await openJob(original, { paths, settings, on, stream: process.stderr }, settings.data);
  const measure = errorTitle(job.objective);
  const show = ({ share, macs, error }: CurvePoint) =>
    say(`${(100 * share).toFixed(0)} %  ${count(macs)} MACs  ${measure} ${error.toPrecision(4)}`);
  const points = await curveOf(job, SHARES, { clock: clockOf(runtime, batchSize), say: show });
  const chosen = existsSync(paths.result) ? readJson<CompressResult>(paths.result) : undefined;
  const about = { folder, measure, runtime, batchSize, criterion: settings.criterion };
  const text = curveTable(points, about);
  mkdirSync(out, { recursive: true });
  writeAtomically(join(out, 'curve.md'), `${text}\n\n${NOTE}\n`);
  writeAtomically(join(out, 'curve.svg'), curveChart(points, measure, chosen));
  writeJson(join(out, 'curve.json'), { ...about, points });
  print(json ? JSON.stringify({ ...about, points }, undefined, 2) : `${text}\n\n${NOTE}`);
  say(`In ${out}: curve.md, curve.svg (the picture), curve.json`);
}

const NOTE =
  'Nothing here is fine-tuned: the first row is the network as it was trained to be cut, not the model that was given.';

/** Points of a curve, as a table in Markdown. */
function curveTable(
  points: readonly CurvePoint[],
  { measure, runtime, batchSize }: { measure: string; runtime: Runtime; batchSize: number },
): string {
  const digits = measure.endsWith('%') ? 2 : 4;
  const [first] = points as readonly [CurvePoint];
  const columns: Column[] = [
    { key: 'macs', title: 'MACs', digits: 0 },
    { key: 'left', title: 'of before', digits: 1, unit: ' %' },
    { key: 'params', title: 'parameters', digits: 0 },
    { key: 'kilobytes', title: 'files, kB', digits: 0 },
    { key: 'milliseconds', title: `ms, ${runtime}, batch ${batchSize}`, digits: 3 },
    { key: 'error', title: measure, digits },
    { key: 'heldOut', title: `${measure}, held out`, digits },
  ];
  const rows = points.map((point) => ({
    ...point,
    left: (100 * point.macs) / first.macs,
    kilobytes: point.bytes / 1000,
  }));
  return table<Record<string, unknown>>(rows, columns);
}

/** The same as a picture, and where the person's choice stands. */
function curveChart(points: readonly CurvePoint[], measure: string, chosen?: CompressResult): string {
  return errorMacsChart(
    [
      { name: 'cut, not fine-tuned', kind: 'curve', points },
      ...(chosen && 'after' in chosen && 'error' in chosen.after
        ? [{ name: 'chosen, fine-tuned', kind: 'measured' as const, points: [chosen.after] }]
        : []),
    ],
    { measure, lines: 'one trained network at several targets' },
  );
}
