import { type Command, Option } from 'commander';
import { wholeNumber } from './arguments.js';

const help = `
Examples:
  $ sbp sweep sweep.json                      here: as many runs at once as there are cores or GPUs
  $ sbp sweep sweep.json --on slurm           as a job array of Slurm's a stage
  $ sbp sweep sweep.json --on kubernetes      writes an indexed Job a stage
  $ sbp sweep sweep.json --print              the commands, one a line, for another launcher
  $ sbp sweep status sweep.json               done, running, waiting, failed, and when it will end
  $ sbp sweep retry sweep.json                does again what failed
  $ sbp sweep cancel sweep.json               ends it; what was under way is kept

The same command again goes on with what is not done. A sweep:

  {
    "stages": {
      "original": {
        "command": "train", "config": "original.json",   a config of sbp train, or its file
        "values": { "train.seed": [0, 1, 2] }            a list is a run each
      },
      "noise": {
        "command": "train", "config": "sbp.json",
        "from": "original",                              starts from its runs: each from that with its seed
        "values": {
          "train.seed": [0, 1, 2],
          "noise.klScale": { "from": 0.5, "to": 8, "steps": 5, "scale": "log" }
        }
      },
      "small": {
        "command": "compress", "from": "original",       or "model" among the values
        "values": { "data": "digits.mjs", "target": ["macs=0.4", "macs=0.2"] }
      }
    },
    "cores": 1,                                          of a run; gpus, too
    "slurm": { "time": "1:00:00", "mem": "2G", "cap": 20 },    also partition, gres, signal, more
    "kubernetes": { "image": "sbp", "claim": "runs" }    also folder, namespace, memory, cap, retries
  }`;

const runsOption = () =>
  new Option(
    '--runs <folder>',
    'where runs are kept (default: as the sweep says, else runs beside its file)',
  );
const onOption = (description: string) =>
  new Option('--on <where>', description).choices(['here', 'slurm', 'kubernetes'] as const);

/** `sbp sweep <sweep.json>` */
export function addSweep(program: Command): void {
  const sweep = program
    .command('sweep')
    .description('many runs of sbp train and sbp compress, here or on a cluster')
    .argument('<sweep.json>', 'what varies, see below')
    .addOption(onOption('what runs it (default: here)'))
    .option('--print', 'only the commands, one a line')
    .addOption(runsOption())
    .option('--partition <name>', "of Slurm (this and the following stand above the sweep's)")
    .option('--time <limit>', 'of Slurm: the longest that a run may take at a time')
    .option('--mem <size>', 'of Slurm: memory of a run')
    .option('--gres <list>', 'of Slurm: such as gpu:1')
    .option('--cap <n>', 'so many runs of a stage at once at most, on a cluster', wholeNumber)
    .option('--json', 'what became of each run as JSON on standard output, all else on standard error')
    .addHelpText('after', help)
    .action(async (file, { on, print, runs, json, ...flags }) => {
      const { sweepRuns } = await import('../sweep/sweep.js');
      await sweepRuns(file, { on, print, runs, json }, flags);
    });
  const part = (name: 'status' | 'retry' | 'cancel', description: string) =>
    sweep
      .command(name)
      .description(description)
      .argument('<sweep.json>', 'the sweep')
      .addOption(runsOption())
      .addOption(onOption('what runs it (default: slurm where it was given to it, else here)'))
      .option('--json', 'as JSON')
      .action(async (file: string, _options, command: Command) => {
        const parts = await import('../sweep/sweep.js');
        // what both take is read by the outer command
        await parts[name](file, command.optsWithGlobals());
      });
  part(
    'status',
    'says of each run whether it is done, running, waiting or failed, and when all will be done',
  );
  part('retry', 'does again what failed, and what starts from it');
  part('cancel', 'ends the runs under way, which go on when they are begun again');
}
