import { type Command, Option } from 'commander';
import { timedRuntimes } from '../measure/runtime-names.js';
import { wholeNumbers } from './arguments.js';

const help = `
Examples:
  $ sbp sweep-target small                           after sbp compress … --out small
  $ sbp sweep-target small --runtime wasm --out figures

Cuts the network that sbp compress has trained in that folder to one target after the other and measures each: error, multiply-accumulates, parameters, bytes, milliseconds. No point is fine-tuned. Writes
curve.md, curve.svg and curve.json into the folder, or into --out.`;

/** `sbp sweep-target <folder>` */
export function addSweepTarget(program: Command): void {
  program
    .command('sweep-target')
    .description('error against cost at every target, from one network that sbp compress has trained')
    .argument('<folder>', 'the --out of sbp compress')
    .option('--out <folder>', 'where table, picture and figures go (default: the same folder)')
    .addOption(
      new Option('--runtime <name>', 'what calls are timed on').choices(timedRuntimes).default('onnxruntime'),
    )
    .option('--batch-size <n>', 'examples in a call', wholeNumbers, [1])
    .option('--json', 'the figures as JSON')
    .addHelpText('after', help)
    .action(async (folder: string, { batchSize: [batchSize], ...options }) => {
      const { sweepTarget } = await import('../compress/sweep.js');
      await sweepTarget(folder, { batchSize, ...options });
    });
}
