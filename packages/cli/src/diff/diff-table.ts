import type { Column } from '@sbp/bench';
import { missing } from '../measure/figures.js';
import { count, plural, size } from '../words/words.js';
import type { LayerDiff, ModelDiff, Sizes } from './diff-models.js';

/** A row a layer that has weights, multiplies, or is in one model only, and one for all of them. */
export function diffRows({ layers, before, after }: ModelDiff): {
  rows: Record<string, unknown>[];
  columns: Column[];
} {
  const rows = [
    ...layers.filter(isShown).map((layer) => ({
      layer: layer.name,
      kind: change(layer, ({ kind }) => kind),
      width: change(layer, ({ width }) => (width === null ? missing : count(width))),
      ...numbers(layer.before, layer.after),
    })),
    { layer: 'all', kind: '', width: '', ...numbers(before, after) },
  ];
  const columns: Column[] = [
    { key: 'layer' },
    { key: 'kind', title: 'class' },
    { key: 'width' },
    { key: 'macs', title: 'MACs before', digits: 0, missing },
    { key: 'macsAfter', title: 'after', digits: 0, missing },
    { key: 'ratio', title: 'reduced', digits: 2, unit: '×', missing },
    { key: 'params', title: 'weights before', digits: 0, missing },
    { key: 'paramsAfter', title: 'after', digits: 0, missing },
    { key: 'bytes', title: 'bytes before', digits: 0, missing },
    { key: 'bytesAfter', title: 'after', digits: 0, missing },
  ];
  return { rows, columns };
}

const spends = (sizes: Sizes | null) => sizes !== null && (sizes.macs > 0 || sizes.params > 0);
const isShown = ({ before, after }: LayerDiff) => !before || !after || spends(before) || spends(after);

/** What of a layer is different, `a → b`, or the same. */
function change(
  { before, after }: LayerDiff,
  of: (sizes: NonNullable<LayerDiff['before']>) => string,
): string {
  const [left, right] = [before ? of(before) : missing, after ? of(after) : missing];
  return left === right ? left : `${left} → ${right}`;
}

function numbers(before: Sizes | null, after: Sizes | null) {
  return {
    macs: before?.macs,
    macsAfter: after?.macs,
    ratio: before?.macs && after?.macs ? before.macs / after.macs : undefined,
    params: before?.params,
    paramsAfter: after?.params,
    bytes: before?.bytes,
    bytesAfter: after?.bytes,
  };
}

/** Bytes of both models' files. */
export interface FileSizes {
  before: number;
  after: number;
}

/** What it came to: name, figures. */
export function diffFacts(
  { before, after, ratios }: ModelDiff,
  files: FileSizes,
): [name: string, value: string][] {
  const arrow = (left: string, right: string, ratio: number | null) =>
    `${left} → ${right}${ratio === null ? '' : ` (${ratio.toFixed(2)}×)`}`;
  return [
    ['multiply-accumulates', arrow(count(before.macs), count(after.macs), ratios.macs)],
    ['weights', arrow(count(before.params), count(after.params), ratios.params)],
    ['files', arrow(size(files.before), size(files.after), files.before / files.after)],
  ];
}

/** What the table leaves out. */
export function diffNote({ layers }: ModelDiff): string {
  const hidden = layers.filter((layer) => !isShown(layer)).length;
  const left =
    hidden > 0
      ? ` Left out: ${plural(hidden, 'layer')} of both without weights and multiply-accumulates.`
      : '';
  return `Width: channels or units of what a layer gives. MACs: multiply-accumulates of one example, counted plainly. Bytes: weights in memory.${left}`;
}
