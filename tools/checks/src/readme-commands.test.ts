import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { examples, printedAsSaid } from './readme.js';
import { commandsToRun, expectToRun, shortened } from './readme-commands.js';
import { promptEnvironment, run } from './run.js';
import { packages, readIfThere, root } from './workspace.js';

const readme = readIfThere(join(root, 'README.md'));

// In one test, as commands use what earlier ones wrote; packed.test.ts runs those of the packages' READMEs.
it.skipIf(readme === '')(
  'every command of README.md runs (README.md is there)',
  async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'sbp-commands-'));
    try {
      for (const command of commandsToRun(readme))
        await expectToRun(command, { cwd: root, env: promptEnvironment(), runs: join(scratch, 'runs') });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
  600_000,
);

it.skipIf(readme === '').each(examples(readme))(
  'an example of README.md runs, and prints what it says',
  async ({ code, prints }) => {
    // Here, where all packages can be imported.
    const file = join(import.meta.dirname, '..', `.example-${process.pid}.mjs`);
    try {
      await writeFile(file, code);
      const ended = await run(process.execPath, [file], { cwd: root, env: promptEnvironment() });
      expect(ended.code, ended.story).toBe(0);
      if (prints !== undefined && !printedAsSaid(ended.stdout, prints)) expect(ended.stdout).toBe(prints);
    } finally {
      await rm(file, { force: true });
    }
  },
  150_000,
);

it.skipIf(readme === '')('shortens no command that no README has (README.md is there)', () => {
  const all = [readme, ...packages.map((one) => one.readme)].flatMap(commandsToRun);
  expect(Object.keys(shortened).filter((command) => !all.includes(command))).toEqual([]);
});
