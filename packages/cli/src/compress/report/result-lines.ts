import { type Column, table } from '@sbp/bench';
import { missing } from '../../measure/figures.js';
import { told } from '../../words/progress.js';
import { duration, size } from '../../words/words.js';
import type { CompressPaths } from '../paths.js';
import { targetWords } from '../targets/targets.js';
import type { CompressResult } from './result.js';

/** The table of before and after. */
export function resultRows({ measure, before, cut, after, timings, target }: CompressResult): {
  rows: Record<string, unknown>[];
  columns: Column[];
} {
  const speedups = timings.filter(({ name }) => name === 'after');
  const row = (model: string, sized: CompressResult['before']) => ({
    model,
    error: sized.error,
    macs: sized.macs,
    share: (100 * sized.macs) / before.macs,
    params: sized.params,
    kilobytes: sized.bytes / 1000,
  });
  const rows = [
    row('before', before),
    row(`cut to ${targetWords(target)}`, cut),
    { ...row('fine-tuned', after), ...Object.fromEntries(speedups.map((one) => [one.engine, one.speedup])) },
  ];
  const columns: Column[] = [
    { key: 'model' },
    { key: 'error', title: measure, digits: measure.endsWith('%') ? 2 : 4 },
    { key: 'macs', title: 'MACs', digits: 0 },
    { key: 'share', title: 'of before', digits: 1, unit: ' %' },
    { key: 'params', title: 'parameters', digits: 0 },
    { key: 'kilobytes', title: 'files, kB', digits: 0 },
    ...speedups.map(({ engine }) => ({
      key: engine,
      title: `speed-up, ${engine === 'onnxruntime' ? 'ONNX Runtime' : `tfjs ${engine}`}`,
      digits: 2,
      unit: '×',
      missing,
    })),
  ];
  return { rows, columns };
}

/** What a compression came to, for a terminal. */
export function resultLines(result: CompressResult, paths: CompressPaths): string {
  const { rows, columns } = resultRows(result);
  const { before, after, measure, seconds, estimated } = result;
  return [
    table(rows, columns),
    '',
    `${told(measure, before.error)} → ${told(measure, after.error)} on the test examples, at ${(before.macs / after.macs).toFixed(2)}× fewer MACs; files ${size(before.bytes)} → ${size(after.bytes)}. It took ${duration(seconds)} in all (estimated: ${duration(estimated)}).`,
    ...advice(result),
    `In ${paths.folder}:`,
    '  model/model.json     the smaller model; plain tfjs opens it',
    '  model.onnx           the same for ONNX runtimes',
    '  report.html          before and after, layer by layer; open it in a browser',
    '  result.json          every figure',
    '  work/                what another --target goes on from',
  ].join('\n');
}

/** What a result may make a person want to do next. */
function advice({ before, after, measure, timings }: CompressResult): string[] {
  const isWorse = after.error > 1.5 * before.error + (measure.endsWith('%') ? 1 : 0);
  const speedups = timings.flatMap(({ name, speedup }) => (name === 'after' ? [speedup.median] : []));
  return [
    ...(isWorse
      ? ['  That is much worse than before: give it more --epochs and --fine-tune, or a milder --target.']
      : []),
    ...(Math.min(...speedups) < 1.2
      ? ['  Fewer multiply-accumulates are not always less time: --target latency=… cuts to a time.']
      : []),
  ];
}
