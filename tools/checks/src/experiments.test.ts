import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runConfigSchema } from '@sbp/cli';
import { describe, expect, it } from 'vitest';
import { promptEnvironment, run } from './run.js';
import { readIfThere, readManifest, root } from './workspace.js';

const folder = join(root, 'experiments');
const experiments = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'package.json')));
const sbp = join(root, 'packages/cli/bin/sbp.js');
const notConfigs = ['package.json', 'turbo.json', 'published.json', 'sweep.json'];

describe.each(experiments)('experiments/%s', (name) => {
  const here = join(folder, name);
  const configs = readdirSync(here).filter((file) => file.endsWith('.json') && !notConfigs.includes(file));
  const { scripts = {} } = readManifest(here);
  const files = existsSync(join(here, 'results')) ? readdirSync(join(here, 'results')) : [];
  const results = files.filter((file) => /^(?!sweep-).*\.json$/.test(file) && !/-short/.test(file));
  const isMedium = (file: string) => /-medium\.json$/.test(file);
  const present = { full: results.some((file) => !isMedium(file)), medium: results.some(isMedium) };

  it.each(configs)('%s is a config of sbp train', (file) => {
    const config = runConfigSchema.parse(JSON.parse(readFileSync(join(here, file), 'utf8')));
    const others = configs.map((other) => JSON.parse(readFileSync(join(here, other), 'utf8')).name as string);
    if (config.from !== undefined)
      expect(others, `no config here makes '${config.from}'`).toContain(config.from);
  });

  it('has a turbo task, on the budget, for each of its scripts but lint', () => {
    const { tasks } = JSON.parse(readIfThere(join(here, 'turbo.json')) || '{ "tasks": {} }');
    const ours = Object.keys(scripts).filter((script) => script !== 'lint');
    expect(Object.keys(tasks).sort()).toEqual(ours.sort());
    for (const task of ours) {
      expect(tasks[task].env).toContain('SBP_BUDGET');
      const config = /\bsbp train (\S+)/.exec(scripts[task] as string)?.[1];
      if (config !== undefined) {
        expect(configs).toContain(config);
        expect(tasks[task].inputs).toContain(config);
        const { from } = JSON.parse(readFileSync(join(here, config), 'utf8'));
        const start = configs.find(
          (file) => JSON.parse(readFileSync(join(here, file), 'utf8')).name === from,
        );
        if (task.endsWith(':train'))
          expect(tasks[task].dependsOn, task).toEqual([start ? start.replace('.json', ':train') : '^build']);
      }
    }
  });

  it.runIf(existsSync(join(here, 'sweep.json')))(
    'its sweep is the runs of its scripts, with the same configs (where there is a sweep.json)',
    { timeout: 60_000 },
    async () => {
      const out = await mkdtemp(join(tmpdir(), 'sbp-sweep-'));
      try {
        const ended = await run(process.execPath, [sbp, 'sweep', 'sweep.json', '--print', '--runs', out], {
          cwd: here,
          env: promptEnvironment(),
        });
        expect(ended.code, ended.story).toBe(0);
        const written = [...ended.stdout.matchAll(/ train (\S+\.json) /g)].map(([, file]) => readRun(file!));
        const asked = Object.values(scripts).flatMap((script) => {
          const [, file, seeds] = /^sbp train (\S+)(?: --seed (\S+))? --phase train$/.exec(script) ?? [];
          return file === undefined
            ? []
            : (seeds?.split(',') ?? [undefined]).map((seed) => readRun(join(here, file), seed));
        });
        expect(written.length).toBeGreaterThan(1);
        expect(written).toEqual(asked);
      } finally {
        await rm(out, { recursive: true });
      }
    },
  );

  it.for(['full', 'medium'] as const)(
    'its table and plot are what sbp makes of its results, where there are any, of %s runs',
    { timeout: 60_000 },
    async (budget, { skip }) => {
      skip(!present[budget], 'there are none');
      const table = /^sbp (table .+) --out results$/.exec(scripts.table as string)?.[1];
      const out = await mkdtemp(join(tmpdir(), 'sbp-table-'));
      try {
        const args = [sbp, ...(table as string).split(' '), '--budget', budget, '--out', out];
        const ended = await run(process.execPath, args, { cwd: here, env: promptEnvironment() });
        expect(ended.code, ended.story).toBe(0);
        const made = readdirSync(out).sort();
        expect(made).toHaveLength(2);
        for (const file of made)
          expect(readIfThere(join(here, 'results', file)), file).toBe(readFileSync(join(out, file), 'utf8'));
      } finally {
        await rm(out, { recursive: true });
      }
    },
  );
});

/** A run's config with its defaults, and without what other budgets lay over it. */
function readRun(file: string, seed?: string): unknown {
  const { short: _short, medium: _medium, ...given } = JSON.parse(readFileSync(file, 'utf8'));
  const train = { ...given.train, ...(seed !== undefined && { seed: Number(seed) }) };
  return runConfigSchema.parse({ ...given, train, name: given.name.replace('{seed}', seed) });
}
