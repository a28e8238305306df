import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../words/failure.js';
import { shortNames } from '../words/short-names.js';
import { print } from '../words/words.js';
import { type InputShapes, inputShapeOption } from './arguments.js';

const help = `
Examples:
  $ sbp diff runs/quickstart/noisy runs/quickstart/pruned
  $ sbp diff before/model.json after/model.json --html diff.html
  $ sbp diff before after --json --input-shape 224,224,3

Layers are matched by name; those that only one of the models has are shown, too. Layers of both without weights are left out.`;

/** `sbp diff <before> <after>` */
export function addDiff(program: Command): void {
  program
    .command('diff')
    .description('show two models side by side, layer by layer: widths, multiply-accumulates, weights, bytes')
    .argument('<before>', 'a layers model, or its folder')
    .argument('<after>', 'another one')
    .option('--html <file>', 'also write it as a page, which opens from disk without a network')
    .addOption(inputShapeOption())
    .option('--json', 'all of it as JSON')
    .addHelpText('after', help)
    .action(diff);
}

async function diff(
  before: string,
  after: string,
  { html, inputShape, json }: { html?: string; inputShape?: InputShapes; json?: boolean },
): Promise<void> {
  await import('@sbp/layers');
  const { existsSync, mkdirSync, statSync } = await import('node:fs');
  const { openModel } = await import('../run/open-model.js');
  const { modelFileBytes, modelPlace, ownsFile } = await import('@sbp/model');
  const { useEngine } = await import('@sbp/engine');
  const { table } = await import('@sbp/bench');
  const { diffModels } = await import('../diff/diff-models.js');
  const { diffFacts, diffNote, diffRows } = await import('../diff/diff-table.js');
  if (html !== undefined && existsSync(html) && statSync(html).isDirectory())
    throw new UsageError(`--html: ${html} is a folder; give the file to write, such as diff.html.`);
  await useEngine('wasm');
  const found = diffModels(await openModel(before), await openModel(after), { inputShapes: inputShape });
  const files = { before: await modelFileBytes(before), after: await modelFileBytes(after) };
  if (html !== undefined) {
    for (const model of [before, after])
      if (await ownsFile(model, html))
        throw new UsageError(`--html ${html} is a file of the model ${model} itself; give another name.`);
    const { diffPage } = await import('../diff/diff-page.js');
    const { writeAtomically } = await import('@sbp/train/checkpoint');
    const places = [await modelPlace(before), await modelPlace(after)];
    const names = places.map((place) => resolve(place));
    const [left, right] = names[0] === names[1] ? [before, after] : shortNames(names);
    mkdirSync(dirname(html), { recursive: true });
    writeAtomically(html, diffPage(found, files, [left!, right!]));
  }
  if (json) {
    print(JSON.stringify({ ...found, files }, undefined, 2));
    return;
  }
  const { rows, columns } = diffRows(found);
  print(table(rows, columns));
  print(`\n${diffNote(found)}\n`);
  print(
    diffFacts(found, files)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  );
  if (html !== undefined) print(`Written to ${html}`);
}
