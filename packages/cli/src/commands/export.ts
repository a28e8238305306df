import type { Command } from 'commander';
import { UsageError } from '../failure.js';
import { count, print, size } from '../words.js';
import { type InputShapes, inputShapeOption } from './arguments.js';

const help = `
Examples:
  $ sbp export runs/quickstart/pruned --onnx pruned.onnx
  $ sbp export runs/quickstart/pruned/model.json --onnx pruned.onnx --json
  $ sbp export unet --onnx unet.onnx --input-shape 256,256,3

The file takes and gives what the tfjs model does, images channels-last, by the same names, in batches of any size. Sizes that the model
leaves open stay open, or are what --input-shape says. Models with noise are pruned first: sbp prune.`;

/** `sbp export <model.json> --onnx <file>` */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a model as an ONNX file')
    .argument('<model.json>', 'a layers model, or its folder')
    .requiredOption('--onnx <file>', 'where the ONNX file goes; one that is there is replaced')
    .addOption(inputShapeOption())
    .option('--json', 'what was written as JSON')
    .addHelpText('after', help)
    .action(exportModel);
}

async function exportModel(
  path: string,
  { onnx: file, inputShape, json }: { onnx: string; inputShape?: InputShapes; json?: boolean },
): Promise<void> {
  await import('@sbp/layers');
  const { loadModel, ownsFile, readGraph } = await import('@sbp/model');
  const { useEngine } = await import('@sbp/engine');
  const { exportOnnx } = await import('@sbp/prune');
  const { writeAtomically } = await import('@sbp/train/checkpoint');
  await useEngine('wasm');
  const model = await loadModel(path);
  if (await ownsFile(path, file))
    throw new UsageError(`--onnx ${file} is a file of the model ${path} itself; give another name.`);
  const bytes = exportOnnx(model, { inputShapes: inputShape });
  writeAtomically(file, bytes);
  const graph = readGraph(model, { inputShapes: inputShape });
  const ports = (names: string[], tensors: readonly { shape: readonly (number | null)[] }[]) =>
    names.map((name, i) => ({ name, shape: ['batch', ...tensors[i]!.shape.map((size) => size ?? 'open')] }));
  const [inputs, outputs] = [ports(model.inputNames, graph.inputs), ports(model.outputNames, graph.outputs)];
  if (json) {
    print(JSON.stringify({ file, bytes: bytes.length, inputs, outputs }, undefined, 2));
    return;
  }
  const list = (all: typeof inputs) =>
    all.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  print(`Written to ${file} (${size(bytes.length)}, ${count(model.countParams())} parameters)`);
  print(`takes ${list(inputs)}\ngives ${list(outputs)}`);
}
