import { expect } from 'vitest';
import { commands } from './readme.js';
import { run } from './run.js';
import { packages, readManifest, root } from './workspace.js';

/**
 * Commands that take minutes as written, each with the arguments that make it take seconds, to be put after it. In the root
 * README a `runs/…`, here too, stands for one in an empty folder: nobody's runs are read or written over.
 */
export const shortened: Record<string, string> = {
  'npx sbp compress node_modules/@sbp/cli/examples/digits --data node_modules/@sbp/cli/examples/digits.mjs --target macs=0.5 --out digits --epochs 12 --fine-tune 8':
    '--epochs 1 --fine-tune 1',
  'npm run quickstart': '-- --epochs 1 --train-examples 1000 --runs runs/',
  'npm run bench:noise -- --engines wasm': '--networks lenet-fc --rounds 1 --seconds 0.1',
  // without what it would install, gigabytes; how the cost of noise grows is in a test of @sbp/benchmarks
  'npm run bench:train':
    '-- --tables speed,memory --peers none --networks lenet-fc --rounds 1 --seconds 0.1 --steps 5',
};

/** Commands that are not run, and why that loses nothing. */
const elsewhere: [RegExp, string][] = [
  [/^npm (install|i|add) /, 'packed.test.ts installs each package so'],
  [/^(npm test|npm run test|npx turbo run( \S+)* test\b)/, 'these tests would start themselves'],
  [/^git clone /, 'the checkout is there'],
  [/^cd /, 'each command starts where its reader would be by then'],
  [/^npm run (setup|format|changeset|version|release)$/, 'it changes the checkout or the registry'],
];

/** The commands of a README that are to be run here, in its order. */
export function commandsToRun(readme: string): string[] {
  return commands(readme).filter((command) => !elsewhere.some(([pattern]) => pattern.test(command)));
}

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

/** Runs a command, in its short form where it has one; fails where it is unknown or doesn't end well. */
export async function expectToRun(
  command: string,
  { cwd, env, runs }: { cwd: string; env: NodeJS.ProcessEnv; runs?: string },
): Promise<void> {
  expect(
    unknown(command),
    `${command}: add what is missing, or list it in readme-commands.ts`,
  ).toBeUndefined();
  const whole = [command, shortened[command] ?? ''].join(' ').trim();
  const asRun = runs === undefined ? whole : whole.replace(/(?<![^\s='"])runs\//g, `${runs}/`);
  // Without its consent npx would fetch a program of the same name from the registry.
  const ended = await run('bash', ['-c', asRun], {
    cwd,
    env: { ...env, npm_config_yes: 'false' },
    seconds: 180,
  });
  expect(ended.code, ended.story).toBe(0);
}
