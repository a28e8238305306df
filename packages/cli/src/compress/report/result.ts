import type { Environment, ModelTiming } from '@sbp/bench';
import type { PruneReport } from '@sbp/prune';
import type { EpochMetrics } from '@sbp/train';
import type { ExampleCounts, TrainedOn } from '../../run/run.js';
import type { CurvePoint } from '../curve.js';
import type { CompressSettings } from '../settings.js';
import type { CompressTarget } from '../targets/targets.js';

/** What a model is, before or after. */
export interface Sized {
  error: number;
  macs: number;
  params: number;
  /** Of its files, as tfjs saves it. */
  bytes: number;
}

/** What a compression came to; `result.json`. */
export interface CompressResult {
  settings: CompressSettings;
  target: CompressTarget;
  /** By output, the loss that is minimised and its weight. */
  losses: { output: string; loss: string; weight: number }[];
  examples: ExampleCounts;
  /** What the errors are, in words with their unit. */
  measure: string;
  before: Sized;
  /** As it was cut, before it was fine-tuned. */
  cut: Sized;
  after: Sized;
  report: PruneReport;
  /** Trained noise cut at several targets, without fine-tuning. */
  curve: CurvePoint[];
  /** The smaller model's ONNX file beside it, in ONNX Runtime; left out where that is not installed. */
  onnx?: { examples: number; largest: number };
  timings: ModelTiming[];
  runtimes: string[];
  /** Seconds that this call took, and that it was said to take. */
  seconds: number;
  estimated: number;
  history: { noise: EpochMetrics[]; tune: EpochMetrics[] };
  on: TrainedOn;
  environment: Environment;
  version: string;
}
