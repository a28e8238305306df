export { type EngineTimings, timeOnEngines } from './engines.js';
export { type Environment, environment } from './environment.js';
export { BenchError } from './errors.js';
export { type Timing, type TimingOptions, timeSideBySide, type Work } from './interleave.js';
export {
  type FunctionEntry,
  type ModelEntry,
  type ModelTiming,
  type ModelTimingOptions,
  timeModels,
} from './models.js';
export { type Spread, spread } from './spread.js';
export { type Column, modelTimingColumns, table, timingColumns } from './table.js';
export { type EpochRecord, trainingChart } from './training-chart.js';
export { type Widths, widthsChart } from './widths-chart.js';
