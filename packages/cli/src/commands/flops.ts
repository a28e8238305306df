import type { Command } from 'commander';
import { print } from '../words.js';
import { type InputShapes, inputShapeOption } from './arguments.js';

const help = `
Examples:
  $ sbp flops runs/quickstart/pruned/model.json
  $ sbp flops runs/quickstart/trained --json
  $ sbp flops mobilenet --input-shape 224,224,3

Multiply-accumulates (MACs) of one example by plain counting: biases, activations, pooling and normalisation are free.
A shared layer works once for each use. Where the model leaves sizes open, --input-shape says them.`;

/** `sbp flops <model.json>` */
export function addFlops(program: Command): void {
  program
    .command('flops')
    .description('count multiply-accumulates and parameters, layer by layer')
    .argument('<model.json>', 'a layers model, or its folder')
    .addOption(inputShapeOption())
    .option('--json', 'counts as JSON')
    .addHelpText('after', help)
    .action(flops);
}

async function flops(
  path: string,
  { json, inputShape }: { json?: boolean; inputShape?: InputShapes },
): Promise<void> {
  await import('@sbp/layers');
  const { loadModel } = await import('@sbp/model');
  const { useEngine } = await import('@sbp/engine');
  const { countFlops } = await import('@sbp/prune');
  const { table } = await import('@sbp/bench');
  await useEngine('wasm');
  const counted = countFlops(await loadModel(path), { inputShapes: inputShape });
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
