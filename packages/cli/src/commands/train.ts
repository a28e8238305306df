import { type Command, Option } from 'commander';
import {
  budgetOption,
  engineOption,
  gatherOption,
  positiveNumber,
  wholeNumber,
  wholeNumbersFrom0,
} from './arguments.js';

const help = `
Examples:
  $ sbp train quickstart.json
  $ sbp train quickstart.json --name long --epochs 30
  $ sbp train quickstart.json --name try --epochs 1 --train-examples 2000
  $ sbp train quickstart.json --json > result.json
  $ sbp train sbp.json --seed 0,1,2                three runs, where the name has {seed} in it
  $ sbp train sbp.json --phase bench --again       times what is there once more

The same command again goes on where it was stopped, or prints the table of a run that is done. A run has the phases train, prune,
finetune (where the config has "fineTune") and bench. A config:

  {
    "name": "quickstart",                           the run's folder, in --runs
    "model": "lenet5",                              or lenet-fc, vgg-like (with "scale": 0.25), or the path of any model
    "method": "structured-bp",                      or original: the network without noise
    "from": "original",                             another run, whose trained weights this one starts from
    "dropout": true, "freezeBatchNorm": true        of vgg-like, in pretraining and after it
    "data": { "source": "mnist" },                  or cifar10, or the path of data (with normalize, label, classes,
                                                    augment, skipBroken); also folder, trainExamples, validation, labels
    "noise": { "klWeight": "macs", "klScale": 2 },  also logSigmaInit, threshold, bounds
    "train": { "epochs": 6 },                       also batchSize, optimizer, learningRate, schedule, loss, seed …
    "engine": "auto",                               tensorflow if it is there, else wasm
    "bench": { "batchSizes": [1, 100] },            also repeats
    "fineTune": { "epochs": 10 },                   trains the smaller network on; fields as those of train
    "short": { "train": { "epochs": 1 } }           laid over the rest by --budget short; also medium
  }`;

/** `sbp train <config.json>` */
export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train a network with noise, cut what drowned in it, check and time what is left')
    .argument('<config.json>', 'what to train, see below')
    .option('--name <name>', 'name of the run')
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .addOption(engineOption())
    .option('--epochs <n>', 'passes over the training set', wholeNumber)
    .option(
      '--seed <n,…>',
      "seed of initial weights, the data's order and the noise; several: a run each",
      wholeNumbersFrom0,
    )
    .option(
      '--replicas <n>',
      'how many share each batch, on GPUs each with its own; 0: one a core on wasm',
      wholeNumber,
    )
    .option('--train-examples <n>', 'only the first n training examples', wholeNumber)
    .addOption(
      budgetOption(
        'short, medium: with what the config says of it laid over the rest, and -short or -medium in the name',
      ),
    )
    .addOption(
      new Option('--phase <phase>', 'only this phase').choices([
        'train',
        'prune',
        'finetune',
        'bench',
      ] as const),
    )
    .option(
      '--checkpoint-minutes <n>',
      'how often to keep the state within an epoch, as at its end (default: 5)',
      positiveNumber,
    )
    .addOption(gatherOption())
    .option('--results <folder>', 'also put the result there, as <name>.json')
    .option('--again', 'do what comes after the training again, though it is done')
    .option('--json', 'the result as JSON on standard output, all else on standard error')
    .addHelpText('after', help)
    .action(async (config, options) => {
      const { trainRun } = await import('../run/train-run.js');
      await trainRun(config, options);
    });
}
