import { type Block, page } from '@sbp/bench';
import { chartOfWidths } from '../measure/figures.js';
import type { ModelDiff } from './diff-models.js';
import { diffFacts, diffNote, diffRows, type FileSizes } from './diff-table.js';

/** More columns than that are not told apart. */
const mostColumns = 40;

/** Two models as one HTML page that needs nothing but itself. */
export function diffPage(diff: ModelDiff, files: FileSizes, names: readonly [string, string]): string {
  const title = `${names[0]} and ${names[1]}`;
  const blocks: Block[] = [
    { kind: 'facts', facts: diffFacts(diff, files) },
    { kind: 'table', ...diffRows(diff) },
    { kind: 'text', text: diffNote(diff) },
  ];
  const widths = diff.layers.flatMap(({ name, before, after }) => {
    const [groups, kept] = [before?.width ?? 0, after?.width ?? 0];
    return before?.macs && after?.macs && kept > 0 && kept <= groups ? [{ name, groups, kept }] : [];
  });
  if (widths.length > 0 && widths.length <= mostColumns)
    blocks.push({
      kind: 'chart',
      title: 'Widths before and after',
      draw: (width) => chartOfWidths(widths, { title: 'Widths before and after', width }),
    });
  return page(title, 'Two models side by side, by sbp diff.', [{ title: 'Layer by layer', blocks }]);
}
