import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../words/failure.js';
import { count, print, size } from '../words/words.js';
import { gatherOption, positiveNumber } from './arguments.js';

const help = `
Examples:
  $ sbp prune runs/quickstart/trained/model.json
  $ sbp prune runs/quickstart/trained --threshold 1.5 --out smaller
  $ sbp prune runs/quickstart/trained --json

A group's signal-to-noise ratio is E θ / √Var θ. The new model is made of tfjs's own layers: tf.loadLayersModel opens it with
nothing else installed. It computes what the noisy one does at inference.`;

/** `sbp prune <model.json>` */
export function addPrune(program: Command): void {
  program
    .command('prune')
    .description('cut the groups that drown in noise out of a trained model')
    .argument('<model.json>', 'model with noise layers, or its folder')
    .option(
      '--threshold <ratio>',
      "groups whose signal-to-noise ratio is not above this go (default: each layer's own)",
      positiveNumber,
    )
    .option(
      '--out <folder>',
      'where the new model goes (default: beside the model, with -pruned behind its name)',
    )
    .addOption(gatherOption())
    .option('--json', 'report as JSON')
    .addHelpText('after', help)
    .action(prune);
}

async function prune(
  path: string,
  { threshold, out, gather, json }: { threshold?: number; out?: string; gather: boolean; json?: boolean },
): Promise<void> {
  const { openModel } = await import('../run/open-model.js');
  const { modelPlace, ownsFile, saveModel } = await import('@sbp/model');
  const { useEngine } = await import('@sbp/engine');
  const { noisesOf } = await import('@sbp/layers');
  const { pruneModel } = await import('@sbp/prune');
  const { table } = await import('@sbp/bench');
  await useEngine('wasm');
  const model = await openModel(path);
  if (noisesOf(model).length === 0)
    throw new UsageError(
      `${path} has no noise layers, so nothing says what can go; give the trained/model.json of a run.`,
    );
  const place = (await modelPlace(path)).replace(/\.(json|keras|h5|hdf5)$/, '');
  const folder = out ?? `${/^\w+:\/\//.test(path) ? basename(place) : place}-pruned`;
  if (await ownsFile(path, join(folder, 'model.json')))
    throw new UsageError(
      `--out ${folder} is the folder of ${path} itself, whose noise would be lost; give another folder.`,
    );
  const { model: pruned, report } = pruneModel(model, { threshold, gather });
  const bytes = await saveModel(pruned, folder);
  if (json) {
    print(JSON.stringify({ folder, bytes, report }, undefined, 2));
    return;
  }
  const layers = report.layers.map(({ name, groups, above, kept, present }) => ({
    layer: name,
    groups,
    'above the threshold': above,
    kept,
    'in the new model': present,
  }));
  print(table(layers));
  const notes = report.layers.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`));
  if (notes.length > 0) print(`\n${notes.join('\n')}`);
  if (report.unfollowed.length > 0)
    print(
      `\nWhat these read stays whole:\n${report.unfollowed.map(({ name, why }) => `${name}: ${why}`).join('\n')}`,
    );
  print(
    `\n${count(report.before.macs)} → ${count(report.after.macs)} multiply-accumulates (${report.reduction.toFixed(2)}×), ${count(report.before.params)} → ${count(report.after.params)} parameters\nWritten to ${folder} (${size(bytes)})`,
  );
}
