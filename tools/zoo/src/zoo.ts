// Networks of keras.applications, made by Keras and by the official converter: opened, counted, exported, cut and timed. `npm run zoo -- --help`
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { environment, onnxRuntimeVersion, table } from '@sbp/bench';
import { measureInProcess } from './in-a-process.js';
import { madeWith, makeNetworks } from './make.js';
import { parseOptions } from './options.js';
import type { Result } from './result.js';
import { brokenFiles, countRows, cutColumns, cutRows, failures, kept, openRows, TOLERANCE } from './rows.js';

const options = parseOptions(process.argv.slice(2));
const start = performance.now();
const say = (line: string) => {
  const seconds = Math.round((performance.now() - start) / 1000);
  process.stderr.write(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} ${line}\n`);
};

try {
  await makeNetworks(options.only, say);
  if (!options.make) await report();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function report(): Promise<void> {
  const results: Result[] = [];
  for (const [i, name] of options.only.entries()) {
    say(`${name}, ${i + 1} of ${options.only.length}`);
    results.push(await measureInProcess(name, say));
  }
  const { engine: _, ...machine } = environment();
  const args = process.argv.slice(2);
  const command = ['npm run zoo', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const date = new Date().toISOString();
  const onnxruntime = await onnxRuntimeVersion();
  const json = `${JSON.stringify({ date, command, ...machine, onnxruntime, madeWith, promises: kept(results), results }, undefined, 2)}\n`;
  const context = [
    `Printed by \`${command}\`, ${date.slice(0, 10)}. Files made with ${madeWith.join(', ')}.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}, tfjs ${machine.tfjs} on wasm, ONNX Runtime ${onnxruntime}.`,
  ].join('\n');
  const markdown = `${list(kept(results))}

## Opened

Largest difference from Keras's own outputs, relative to the largest output, of each kind of file; ONNX: of the exported .keras in ONNX Runtime. ✗: above ${TOLERANCE}.

${[table(openRows(results)), ...brokenFiles(results).map((line) => `– ${line}`)].join('\n\n')}

## Counted

Multiply-accumulates of one image at the published size.

${table(countRows(results))}

## Cut

\`withNoise\` at everything that can go, a random half of each noise's groups drowned, \`pruneModel\`. What \`withNoise\` changes at first is of the probabilities
themselves. Images apart: the noisy model's outputs for one image from those for the other, relative to the largest; if it saw none, agreement would say nothing.
Differences of the cut model from the noisy one at inference, and of its ONNX file in ONNX Runtime from that, are relative as above. Speed-up: ONNX Runtime, one
thread, batch 1, in turns.

${table(cutRows(results), cutColumns)}
${
  failures(results).length > 0
    ? `
## Failures

${list(failures(results))}
`
    : ''
}`;
  process.stdout.write(options.json ? json : `\n${markdown}\n${context}\n`);
  if (!options.out) return;
  const stem = options.out.replace(/\.(md|json)$/, '');
  await mkdir(dirname(stem), { recursive: true });
  await writeFile(`${stem}.json`, json);
  await writeFile(`${stem}.md`, `# The zoo\n\n${context.replaceAll('\n', '\n\n')}\n\n${markdown}`);
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}
