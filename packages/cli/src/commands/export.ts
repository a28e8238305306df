import { type Command, Option } from 'commander';
import { differenceFrom, inWords } from '../measure/export-difference.js';
import { UsageError } from '../words/failure.js';
import { count, print, size } from '../words/words.js';
import { type InputShapes, inputShapeOption } from './arguments.js';

const help = `
Examples:
  $ sbp export runs/quickstart/pruned --onnx pruned.onnx
  $ sbp export runs/quickstart/pruned/model.json --onnx pruned.onnx --json
  $ sbp export runs/quickstart/pruned --onnx small.onnx --dtype int8
  $ sbp export unet --onnx unet.onnx --input-shape 256,256,3

The file takes and gives what the tfjs model does, images channels-last, by the same names, in batches of any size. Sizes that the
model leaves open stay open, or are what --input-shape says. Models with noise are pruned first: sbp prune. With float16 or int8 it says how much the outputs differ from float32's, on random inputs or on those of
--inputs, a JSON file of lists by the inputs' names: {"image": [[[[0.1, 0.2, 0.3], ...]]]}.`;

/** `sbp export <model.json> --onnx <file>` */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a model as an ONNX file')
    .argument('<model.json>', 'a layers model, or its folder')
    .requiredOption('--onnx <file>', 'where the ONNX file goes; one that is there is replaced')
    .addOption(
      new Option('--dtype <type>', 'what weights are kept and computed in')
        .choices(['float32', 'float16', 'int8'] as const)
        .default('float32' as const),
    )
    .addOption(inputShapeOption())
    .option('--inputs <file>', 'inputs on which float16 or int8 are compared with float32, as JSON')
    .option('--json', 'what was written as JSON')
    .addHelpText('after', help)
    .action(exportModel);
}

interface Options {
  onnx: string;
  dtype: 'float32' | 'float16' | 'int8';
  inputShape?: InputShapes;
  inputs?: string;
  json?: boolean;
}

async function exportModel(
  path: string,
  { onnx: file, dtype, inputShape: inputShapes, inputs: given, json }: Options,
): Promise<void> {
  await import('@sbp/layers');
  const { openModel } = await import('../run/open-model.js');
  const { ownsFile, readGraph } = await import('@sbp/model');
  const { useEngine } = await import('@sbp/engine');
  const { exportOnnx } = await import('@sbp/onnx');
  const { writeAtomically } = await import('@sbp/train/checkpoint');
  await useEngine('wasm');
  const model = await openModel(path);
  if (await ownsFile(path, file))
    throw new UsageError(`--onnx ${file} is a file of the model ${path} itself; give another name.`);
  const bytes = exportOnnx(model, { dtype, inputShapes });
  writeAtomically(file, bytes);
  const difference =
    dtype === 'float32' ? undefined : await differenceFrom(model, bytes, { inputShapes, given });
  const graph = readGraph(model, { inputShapes });
  const ports = (names: string[], tensors: typeof graph.inputs) =>
    tensors.map(({ shape }, i) => ({ name: names[i]!, shape: ['batch', ...shape.map((d) => d ?? 'open')] }));
  const [inputs, outputs] = [ports(model.inputNames, graph.inputs), ports(model.outputNames, graph.outputs)];
  if (json) {
    print(JSON.stringify({ file, bytes: bytes.length, inputs, outputs, difference }, undefined, 2));
    return;
  }
  const list = (all: typeof inputs) =>
    all.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  print(`Written to ${file} (${size(bytes.length)}, ${count(model.countParams())} parameters)`);
  print(`takes ${list(inputs)}\ngives ${list(outputs)}`);
  if (difference) for (const line of inWords(difference, dtype)) print(line);
}
