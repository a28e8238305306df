import { type Command, Option } from 'commander';
import { engineOption, gatherOption, positiveNumber, wholeNumber } from './arguments.js';

const help = `
Examples:
  $ sbp compress my-model.keras --data photos/ --target macs=0.4 --out small
  $ sbp compress web-model --data table.csv --label price --target params=0.3 --out small
  $ sbp compress my-model.keras --data photos/ --target macs=0.3 --out small    goes on from the noise that is trained

Data: a folder with a folder of images a class (or with train/ and test/ of such folders), loose images (no labels: the model as it is says what is right), .npz,
.npy, .csv, IDX and CIFAR files, or a JavaScript module that exports { train, test }. Stop it with Ctrl-C: the same command goes on. Run again, it says what it came to.`;

const list = (text: string) => text.split(',').map((each) => each.trim());

/** `sbp compress <model>` */
export function addCompress(program: Command): void {
  program
    .command('compress')
    .description(
      'make a model smaller and as good: train it with noise, cut what drowns, fine-tune, check, time',
    )
    .argument('<model>', 'a .keras or .h5 file, a model.json, or a folder with one')
    .option('--data <source>', 'what it is trained and tested on')
    .requiredOption(
      '--target <measure=left>',
      'what may be left of macs, params or bytes, how long a call may take, or what error it may have: macs=0.4, bytes=500000, latency=5ms@onnxruntime:1 or latency=50%@onnxruntime:1, error=1.5',
    )
    .requiredOption('--out <folder>', 'where everything goes')
    .option(
      '--criterion <name>',
      'what groups are worth: snr, bmrs-n or bmrs-u, by noise; or, of the model as it is, taylor, magnitude, l1, l2, batch-norm or random',
      'snr',
    )
    .option(
      '--rounds <n>',
      'come to the target in so many cuts, each fine-tuned; with criteria that look at the model as it is',
      wholeNumber,
      1,
    )
    .addOption(
      new Option('--round-to <n>', 'leave widths at multiples of it')
        .argParser(wholeNumber)
        .default(0, 'any; with a latency in ONNX Runtime 16 is tried, too'),
    )
    .addOption(gatherOption())
    .option(
      '--label <columns>',
      'of a CSV file: the column to predict, or several with commas between them',
      list,
    )
    .option(
      '--classes <names>',
      "classes in the order of the model's outputs, or a file with one a line (default: labels.txt beside the model, else alphabetical)",
      list,
    )
    .addOption(
      new Option(
        '--normalize <range>',
        'how the model takes the bytes of images; needed for images, unless it scales them itself',
      ).choices(['0..1', '-1..1', 'imagenet', 'none']),
    )
    .option(
      '--augment <names>',
      'what training does to images: flip, crop, color, cutout, with commas between them',
      list,
    )
    .option('--skip-broken', 'leave out what cannot be read, and count it', false)
    .option('--loss <name>', "the loss, by Keras's name (default: what the targets ask for)")
    .addOption(
      new Option('--epochs <n>', 'epochs with noise')
        .argParser(wholeNumber)
        .default(0, '6, or so many that there are 1,200 steps'),
    )
    .addOption(
      new Option('--fine-tune <n>', 'epochs of the smaller model')
        .argParser(wholeNumber)
        .default(0, 'as many'),
    )
    .option('--batch-size <n>', 'examples a step', wholeNumber, 64)
    .option('--learning-rate <rate>', "Adam's rate for the weights", positiveNumber, 1e-3)
    .option('--no-distill', 'do not let the model as it is teach')
    .option('--seed <n>', "of the data's split and order, and of the noise", wholeNumber, 0)
    .addOption(
      new Option('--replicas <n>', 'how many share each batch')
        .argParser(wholeNumber)
        .default(0, 'one a core on wasm'),
    )
    .addOption(engineOption().default('auto'))
    .option('--json', 'the result as JSON')
    .addHelpText('after', help)
    .action(async (model: string, { out, target, json, data, criterion, ...options }) => {
      const { parseTarget } = await import('../compress/targets/targets.js');
      const { parseCriterion } = await import('../compress/criterion.js');
      const { compress } = await import('../compress/compress.js');
      const asked = { target: parseTarget(target), criterion: parseCriterion(criterion) };
      await compress({ model, data: data ?? null, ...asked, ...options }, out, { json });
    });
}
