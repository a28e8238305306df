// Training speed beside PyTorch and TensorFlow, what the noise costs and how that grows, and memory. `npm run bench:train -- --help`
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { environment } from '@sbp/bench';
import { Field, titles } from './entrants.js';
import { hasPeers } from './networks.js';
import { parseOptions, type TableName } from './options.js';
import { progress } from './progress.js';
import { measureMemory, memoryMarkdown, memorySamples } from './tables/memory.js';
import {
  growthMarkdown,
  growthSamples,
  measureGrowth,
  measureNoise,
  noiseMarkdown,
  noiseSamples,
} from './tables/noise.js';
import type { Setting } from './tables/setting.js';
import { measureSpeed, type SpeedResult, speedMarkdown, speedSamples } from './tables/speed.js';

const options = parseOptions(process.argv.slice(2));
const say = (line: string) => process.stderr.write(`${line}\n`);
const field = new Field(say);
const setting: Setting = { ...options, field, tick: () => {} };
const has = (table: TableName) => options.tables.includes(table);
setting.tick = progress(
  (has('speed') ? speedSamples(setting) : 0) +
    (has('noise') ? noiseSamples(setting) : 0) +
    (has('growth') ? growthSamples(setting) : 0) +
    (has('memory') ? memorySamples(setting) : 0),
  say,
);

const { engine: _, ...machine } = environment();
const result: Record<string, unknown> = {
  date: new Date().toISOString(),
  command: `npm run bench:train -- ${process.argv.slice(2).join(' ')}`,
  ...{ rounds: options.rounds, seconds: options.seconds, ...machine },
};
const parts: string[] = [];
function done(name: TableName, rows: unknown, markdown: string): void {
  result[name] = rows;
  parts.push(markdown);
  if (!options.json) console.log(`\n${markdown}`);
}

try {
  if (has('speed')) {
    const results: SpeedResult[] = [];
    for (const network of options.networks.filter(hasPeers))
      results.push(await measureSpeed(setting, network));
    done('speed', results, speedMarkdown(results));
  }
  if (has('noise')) {
    const rows = await measureNoise(setting);
    done('noise', rows, noiseMarkdown(rows));
  }
  if (has('growth')) {
    const rows = await measureGrowth(setting);
    done('growth', rows, growthMarkdown(rows));
  }
  if (has('memory')) {
    const rows = await measureMemory(setting);
    done('memory', rows, memoryMarkdown(rows));
  }
} finally {
  field.clear();
}

const versions = Object.entries(field.versions).map(([entrant, version]) => ({
  ...{ entrant, title: titles[entrant as keyof typeof titles], version },
}));
result.versions = Object.fromEntries(versions.map(({ entrant, version }) => [entrant, version]));
const context = [
  `Printed by \`${result.command}\`, ${String(result.date).slice(0, 10)}: ${options.rounds} turns of ${options.seconds} s.`,
  `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}, tfjs ${machine.tfjs}.`,
  ...versions.map(({ title, version }) => `${title}: ${version}.`),
].join('\n');
if (!options.json) console.log(`\n${context}`);
const json = `${JSON.stringify(result, undefined, 2)}\n`;
if (options.json) process.stdout.write(json);
if (options.out) {
  const stem = options.out.replace(/\.(md|json)$/, '');
  await mkdir(dirname(stem), { recursive: true });
  await writeFile(`${stem}.json`, json);
  await writeFile(
    `${stem}.md`,
    `# Training speed\n\n${context.replaceAll('\n', '\n\n')}\n\n${parts.join('\n\n')}\n`,
  );
}
