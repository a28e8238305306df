import { mkdtempSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from './readme.js';
import { promptEnvironment, run } from './run.js';
import { checksModules, packages, readIfThere, readManifest, root } from './workspace.js';

/**
 * Commands that take minutes as written, each with the arguments that make it take seconds, to be put after it. A `runs/…`
 * stands for one in an empty folder, here and in the READMEs: nobody's runs are read or written over.
 */
const shortened: Record<string, string> = {
  'npm run quickstart': '-- --epochs 1 --train-examples 1000 --runs runs/',
};

/** Commands that are not run here, and why that loses nothing. */
const elsewhere: [RegExp, string][] = [
  [/^npm (install|i|add) /, 'packed.test.ts installs each package so'],
  [/^(npm test|npm run test|npx turbo run( \S+)* test\b)/, 'these tests would start themselves'],
  [/^git clone /, 'the checkout is there'],
  [/^cd /, 'each command starts where its reader would be by then'],
  [/^npm run (setup|format|changeset|version|release)$/, 'it changes the checkout or the registry'],
];

const readmes = [{ place: 'README.md', folder: root, readme: readIfThere(join(root, 'README.md')) }].concat(
  packages.map(({ name, folder, readme }) => ({ place: `the README of ${name}`, folder, readme })),
);
const runnable = readmes
  .map((each) => ({
    ...each,
    commands: commands(each.readme).filter(
      (command) => !elsewhere.some(([pattern]) => pattern.test(command)),
    ),
  }))
  .filter((each) => each.commands.length > 0);

/** Why a command is not one that a reader of ours can run, or undefined where it is. */
function unknown(command: string): string | undefined {
  const [program, ...words] = command.split(/\s+/);
  const script = words[1] ?? '';
  if (program === 'node') return undefined;
  if (program === 'npm' && words[0] === 'run')
    return readManifest(root).scripts?.[script] ? undefined : `the root package.json has no script ${script}`;
  if (program === 'npx') {
    const name = words.find((word) => !word.startsWith('-'));
    const ours = packages.some(({ manifest }) => Object.keys(manifest.bin ?? {}).includes(name ?? ''));
    return ours || name === 'turbo' ? undefined : `${name} is no program of a package here`;
  }
  return 'it is neither node, npm run nor npx';
}

const scratch = mkdtempSync(join(tmpdir(), 'sbp-commands-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(runnable)('$place', ({ folder, commands }) => {
  const inWorkspace = folder === root;
  const own = join(scratch, readmes.findIndex((each) => each.folder === folder).toString());
  // The root's reader is in the checkout; a package's has it installed in a folder of his own.
  const cwd = inWorkspace ? root : own;

  beforeAll(async () => {
    await mkdir(own, { recursive: true });
    if (!inWorkspace) await symlink(checksModules, join(own, 'node_modules'));
  });

  // One after the other, as they may build on each other.
  it.each(commands)('%s', { timeout: 190_000 }, async (command) => {
    expect(
      unknown(command),
      `${command}: add what is missing, or list it in readme-commands.test.ts`,
    ).toBeUndefined();
    const whole = [command, shortened[command] ?? ''].join(' ').trim();
    const asRun = inWorkspace ? whole.replace(/(?<![^\s='"])runs\//g, `${own}/runs/`) : whole;
    const env = { ...promptEnvironment(), npm_config_yes: 'false' };
    const ended = await run('bash', ['-c', asRun], { cwd, env, seconds: 180 });
    expect(ended.code, ended.story).toBe(0);
  });
});

it.skipIf(readmes[0]!.readme === '')('shortens no command that no README has (README.md is there)', () => {
  const all = new Set(runnable.flatMap((each) => each.commands));
  expect(Object.keys(shortened).filter((command) => !all.has(command))).toEqual([]);
});
