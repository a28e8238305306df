import type { Command } from 'commander';
import { UsageError } from '../failure.js';
import { count, print, size } from '../words.js';

const help = `
Examples:
  $ sbp export runs/quickstart/pruned --onnx pruned.onnx
  $ sbp export runs/quickstart/pruned/model.json --onnx pruned.onnx --json

The file takes and gives what the tfjs model does, images channels-last, by the same names, in batches of any size. Models with noise
are pruned first: sbp prune.`;

/** `sbp export <model.json> --onnx <file>` */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a model as an ONNX file')
    .argument('<model.json>', 'a layers model, or its folder')
    .requiredOption('--onnx <file>', 'where the ONNX file goes; one that is there is replaced')
    .option('--json', 'what was written as JSON')
    .addHelpText('after', help)
    .action(exportModel);
}

async function exportModel(
  path: string,
  { onnx: file, json }: { onnx: string; json?: boolean },
): Promise<void> {
  await import('@sbp/layers');
  const { loadModel, ownsFile } = await import('@sbp/model');
  const { useEngine } = await import('@sbp/engine');
  const { countFlops, exportOnnx } = await import('@sbp/prune');
  const { writeAtomically } = await import('@sbp/train/checkpoint');
  await useEngine('wasm');
  const model = await loadModel(path);
  if (await ownsFile(path, file))
    throw new UsageError(`--onnx ${file} is a file of the model ${path} itself; give another name.`);
  const bytes = exportOnnx(model);
  writeAtomically(file, bytes);
  const shapes = (names: string[], symbols: { shape: (number | null)[] }[]) =>
    names.map((name, i) => ({ name, shape: symbols[i]!.shape.map((d) => d ?? 'batch') }));
  const [inputs, outputs] = [
    shapes(model.inputNames, model.inputs),
    shapes(model.outputNames, model.outputs),
  ];
  if (json) {
    print(JSON.stringify({ file, bytes: bytes.length, inputs, outputs }, undefined, 2));
    return;
  }
  const list = (ports: typeof inputs) =>
    ports.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
  print(`Written to ${file} (${size(bytes.length)}, ${count(countFlops(model).params)} parameters)`);
  print(`takes ${list(inputs)}\ngives ${list(outputs)}`);
}
