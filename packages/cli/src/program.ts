import { Command } from 'commander';
import { addBench } from './commands/bench.js';
import { addCompress } from './commands/compress.js';
import { addDiff } from './commands/diff.js';
import { addEngine } from './commands/engine.js';
import { addExport } from './commands/export.js';
import { addFlops } from './commands/flops.js';
import { addPrune } from './commands/prune.js';
import { addReport } from './commands/report.js';
import { addSweep } from './commands/sweep.js';
import { addSweepTarget } from './commands/sweep-target.js';
import { addSweepThreshold } from './commands/sweep-threshold.js';
import { addTable } from './commands/table.js';
import { addTrain } from './commands/train.js';
import { version } from './version.js';
import { exitStatus } from './words/failure.js';

/** Runs the command with its arguments. @returns the exit code, after what went wrong was said */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const command = program.commands.find((each) => each.name() === args[0]);
    return exitStatus(error, command ? `sbp ${command.name()}` : 'sbp');
  }
}

/**
 * The `sbp` command. Failures are thrown, not printed; what runs a command is imported by its action, so that help does not
 * wait for tfjs.
 */
function createProgram(): Command {
  const program = new Command('sbp')
    .description(
      'Structured Bayesian pruning for TensorFlow.js: train a network with noise, cut the channels and units that drown in it, and measure what that saves.',
    )
    .version(version)
    .exitOverride()
    // commander's own words go through exitStatus, as one line
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError(true)
    .addHelpText(
      'after',
      '\nExamples:\n  $ sbp train quickstart.json\n  $ sbp bench runs/quickstart/noisy runs/quickstart/pruned\n\nsbp <command> --help tells more. Exit codes: 0 done, 1 failed, 2 wrong input, 130 stopped by Ctrl-C.',
    );
  for (const add of [
    addCompress,
    addTrain,
    addPrune,
    addExport,
    addFlops,
    addDiff,
    addBench,
    addTable,
    addReport,
    addSweep,
    addSweepTarget,
    addSweepThreshold,
    addEngine,
  ])
    add(program);
  return program;
}
