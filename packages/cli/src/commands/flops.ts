import type { TiedGroups } from '@sbp/prune';
import type { Command } from 'commander';
import { print } from '../words/words.js';
import { type InputShapes, inputShapeOption } from './arguments.js';

const help = `
Examples:
  $ sbp flops runs/quickstart/pruned/model.json
  $ sbp flops runs/quickstart/trained --json
  $ sbp flops mobilenet --input-shape 224,224,3
  $ sbp flops resnet.keras --groups

Multiply-accumulates (MACs) of one example by plain counting: biases, activations, pooling and normalisation are free.
A shared layer works once for each use. Where the model leaves sizes open, --input-shape says them.
With --groups: which layers' channels can only go together, what reads them, and why some can't go at all.`;

/** `sbp flops <model.json>` */
export function addFlops(program: Command): void {
  program
    .command('flops')
    .description('count multiply-accumulates and parameters, layer by layer')
    .argument('<model.json>', 'a layers model, or its folder')
    .addOption(inputShapeOption())
    .option('--groups', 'the chains of layers that each channel runs through, in place of counts')
    .option('--json', 'counts or chains as JSON')
    .addHelpText('after', help)
    .action(flops);
}

async function flops(
  path: string,
  { groups, json, inputShape }: { groups?: boolean; json?: boolean; inputShape?: InputShapes },
): Promise<void> {
  await import('@sbp/layers');
  const { openModel } = await import('../run/open-model.js');
  const { useEngine } = await import('@sbp/engine');
  const { countFlops, tiedGroups } = await import('@sbp/prune');
  const { table } = await import('@sbp/bench');
  await useEngine('wasm');
  const model = await openModel(path);
  if (groups) {
    printGroups(tiedGroups(model, { inputShapes: inputShape }), table, json);
    return;
  }
  const counted = countFlops(model, { inputShapes: inputShape });
  if (json) {
    print(JSON.stringify(counted, undefined, 2));
    return;
  }
  const { macs, params, layers } = counted;
  print(
    table(
      [...layers, { name: 'all', macs, params }].map((layer) => ({
        ...layer,
        share: macs > 0 ? (100 * layer.macs) / macs : 0,
      })),
      [
        { key: 'name', title: 'layer' },
        { key: 'macs', title: 'MACs' },
        { key: 'share', title: 'of all MACs', digits: 1, unit: ' %' },
        { key: 'params', title: 'parameters' },
      ],
    ),
  );
}

function printGroups(
  sets: readonly TiedGroups[],
  table: (rows: readonly object[]) => string,
  json: boolean | undefined,
): void {
  if (json) {
    print(JSON.stringify(sets, undefined, 2));
    return;
  }
  const rows = sets.map(({ groups, makers, readers, passing, fixedBy }) => ({
    groups,
    'made by': makers.join(', '),
    through: passing.join(', '),
    'read by': readers.join(', '),
    'can go': fixedBy === undefined ? 'yes' : `no: ${fixedBy}`,
  }));
  print(table(rows));
}
