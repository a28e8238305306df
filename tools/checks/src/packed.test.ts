import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examples, installLine, printedAsSaid } from './readme.js';
import { commandsToRun, expectToRun } from './readme-commands.js';
import { promptEnvironment, run } from './run.js';
import { type Package, packageNamed, packages, readManifest, root, withDependencies } from './workspace.js';

// Kept between runs, so that only the first one downloads anything.
const npmCache = join(tmpdir(), 'sbp-checks-npm-cache');

interface Tarball {
  filename: string;
  files: { path: string }[];
}

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sbp-packed-'));
});

afterAll(async () => {
  await Promise.allSettled(startedInstalls.values());
  await rm(scratch, { recursive: true, force: true });
});

/** What `make` gives for a package, made once, however many ask. */
function once<T>(started: Map<string, Promise<T>>, make: (one: Package) => Promise<T>) {
  return (one: Package): Promise<T> => {
    const result = started.get(one.name) ?? make(one);
    started.set(one.name, result);
    return result;
  };
}

const tarballOf = once(new Map(), async ({ folder }): Promise<Tarball> => {
  const pnpm = join(root, 'node_modules/.bin/pnpm');
  const args = ['pack', '--json', '--pack-destination', join(scratch, 'tarballs')];
  const packed = await run(pnpm, args, { cwd: folder, env: promptEnvironment() });
  if (packed.code !== 0) throw new Error(packed.story);
  return JSON.parse(packed.stdout);
});

/** A dependency with the version that one of these packages has in the workspace. */
function asInWorkspace(own: Iterable<Package>, dependency: string): string {
  const names: string[] = [];
  for (const { folder, name } of own) {
    const found = join(folder, 'node_modules', dependency);
    if (existsSync(found)) return `${dependency}@${readManifest(found).version}`;
    names.push(name);
  }
  throw new Error(
    `${dependency} is not installed in the workspace; make it a devDependency of ${names.join(' or ')}`,
  );
}

const nameIn = (word: string) => word.replace(/(?<=.)@.*$/, '');

/** What `npm install` has to be told while none of our packages is on the registry, for a README's line. */
async function installArguments(one: Package, line: string[]): Promise<string[]> {
  const named = line.map(nameIn).filter((name) => name.startsWith('@sbp/'));
  const own = new Set([one, ...named.map(packageNamed)].flatMap(withDependencies));
  const others = new Map(
    line.filter((word) => !word.startsWith('@sbp/')).map((word) => [nameIn(word), word]),
  );
  for (const { manifest } of own) {
    for (const peer of Object.keys(manifest.peerDependencies ?? {})) {
      const optional = manifest.peerDependenciesMeta?.[peer]?.optional || peer.startsWith('@sbp/');
      if (!optional && !others.has(peer)) others.set(peer, peer);
    }
  }
  const files = await Promise.all([...own].map(async (each) => (await tarballOf(each)).filename));
  const rest = [...others].map(([name, word]) => (name === word ? asInWorkspace(own, name) : word));
  return [...files, ...rest];
}

interface Place {
  folder: string;
  /** With an empty HOME. */
  env: NodeJS.ProcessEnv;
}

/** What npm keeps of an installed tree. */
const lockFile = 'node_modules/.package-lock.json';

const startedInstalls = new Map<string, Promise<Place>>();
/** Needs every other one. */
const first = packages.toSorted((a, b) => withDependencies(b).length - withDependencies(a).length)[0]!;

const installed = once(startedInstalls, async (one): Promise<Place> => {
  const home = join(scratch, one.name, 'home');
  const folder = join(scratch, one.name, 'empty');
  for (const path of [home, folder]) await mkdir(path, { recursive: true });
  const env = { ...promptEnvironment(home), npm_config_cache: npmCache };
  const args = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--prefix', folder];
  const named = await installArguments(one, installLine(one.readme, one.name) ?? []);
  if (one !== first) {
    // npm finds what the first one has unpacked, keeps of it what this one needs, removes the rest, and unpacks what is missing:
    // the same tree as in an empty folder, without 300 MB from an archive each time.
    const unpacked = await installed(first).catch(() => undefined);
    if (unpacked) {
      await run('cp', ['-al', join(unpacked.folder, 'node_modules'), folder], { cwd: folder, env });
      // what npm writes anew in place must not be the first one's, too
      await rm(join(folder, lockFile));
      await copyFile(join(unpacked.folder, lockFile), join(folder, lockFile));
    }
  }
  const ended = await run('npm', ['install', ...args, ...named], { cwd: folder, env, seconds: 280 });
  if (ended.code !== 0) throw new Error(ended.story);
  return { folder, env };
});

/** The names of what a program imports, Node's own modules and relative files left out. */
function importedBy(code: string): string[] {
  const specifiers = [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'".][^'"]*)['"]/g)].map(
    (match) => match[1]!,
  );
  return specifiers
    .filter((specifier) => !specifier.startsWith('node:'))
    .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0]);
}

describe.each(packages)('$name, packed', (one) => {
  const line = installLine(one.readme, one.name);

  beforeAll(async () => {
    // The next one is installed while this one is tested. A failure is for the tests that need the place to tell.
    const next = packages[packages.indexOf(one) + 1];
    if (next !== undefined) installed(next).catch(() => {});
    await installed(one).catch(() => {});
  }, 300_000);

  afterAll(async () => {
    if (one !== first) await rm(join(scratch, one.name), { recursive: true, force: true });
  });

  it('holds what is needed and nothing else', async () => {
    const files = (await tarballOf(one)).files.map(({ path }) => path);
    const needed = ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts'];
    expect(
      needed.filter((path) => !files.includes(path)),
      'what it lacks',
    ).toEqual([]);
    const workshop =
      /\.(test|spec)\.|(^|\/)(src|tests?|testing|__tests__|node_modules)\/|(?<!\.d)\.[cm]?tsx?$|tsconfig|tsbuildinfo|\.turbo/;
    expect(files.filter((path) => workshop.test(path))).toEqual([]);
    const stale = files.filter((path) => {
      const source = /^dist\/(.*?)(\.d\.ts|\.js)$/.exec(path)?.[1];
      return source !== undefined && !existsSync(join(one.folder, 'src', `${source}.ts`));
    });
    expect(
      stale,
      `left by a build of files that are gone: delete ${one.name}'s dist and build again`,
    ).toEqual([]);
  });

  it('passes publint', async () => {
    const { filename } = await tarballOf(one);
    const bytes = await readFile(filename);
    const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg!, { color: false }))).toEqual([]);
    expect(JSON.stringify(pkg)).not.toMatch(/"(workspace|catalog):/);
  });

  it('installs into a folder of its own, every @sbp package from its tarball', async () => {
    const { folder } = await installed(one);
    const lock = JSON.parse(await readFile(join(folder, lockFile), 'utf8'));
    const entries = Object.entries<{ resolved?: string }>(lock.packages);
    const ours = entries.filter(([path]) => path.includes('node_modules/@sbp/'));
    expect(ours.map(([path]) => path)).toContain(`node_modules/${one.name}`);
    expect(ours.filter(([, { resolved }]) => !resolved?.startsWith('file:'))).toEqual([]);
  });

  it('has types that resolve', async () => {
    const { folder, env } = await installed(one);
    const entries = Object.entries(one.manifest.exports ?? {}).filter(
      ([, target]) => typeof target === 'object' && target !== null && 'types' in target,
    );
    expect(entries.map(([path]) => path)).toContain('.');
    const lines = entries.map(([path], i) => `export * as entry${i} from '${one.name}${path.slice(1)}';\n`);
    await writeFile(join(folder, 'types.mts'), lines.join(''));
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    const typeRoots = ['--typeRoots', join(root, 'tools/checks/node_modules/@types')];
    const checked = await run(join(root, 'node_modules/.bin/tsc'), [...flags, ...typeRoots, 'types.mts'], {
      cwd: folder,
      env,
    });
    // Without skipLibCheck, so that our declarations are checked; what others' say is not ours to fail on.
    const complaints = checked.stdout
      .split('\n')
      .filter((text) => /^(types\.mts|node_modules\/@sbp\/)/.test(text));
    expect(complaints, checked.story).toEqual([]);
    if (checked.code !== 0) expect(checked.stdout, checked.story).toMatch(/^node_modules\//m);
  });

  it('tells how to install it and shows an example', () => {
    expect(line, `its README has no line \`npm install ${one.name} …\``).toBeDefined();
    const shown = one.manifest.bin ? commandsToRun(one.readme) : examples(one.readme);
    expect(shown, `its README has no ${one.manifest.bin ? 'command' : 'js block'}`).not.toHaveLength(0);
    const named = line?.map(nameIn);
    const imported = examples(one.readme).flatMap(({ code }) => importedBy(code));
    expect(
      imported.filter((name) => !named?.includes(name)),
      'imported, but not on that line',
    ).toEqual([]);
  });

  it.each(examples(one.readme).map((example, i) => ({ ...example, number: i + 1 })))(
    'runs example $number of its README, which prints what the README says',
    async ({ code, prints, number }) => {
      const { folder, env } = await installed(one);
      const file = `example-${number}.mjs`;
      await writeFile(join(folder, file), code);
      const ended = await run(process.execPath, [file], { cwd: folder, env });
      expect(ended.code, ended.story).toBe(0);
      expect(ended.stdout.trim(), 'an example prints something').not.toBe('');
      if (prints !== undefined && !printedAsSaid(ended.stdout, prints)) expect(ended.stdout).toBe(prints);
    },
    150_000,
  );

  it.each(commandsToRun(one.readme))(
    'runs %s, which its README shows',
    async (command) => {
      const { folder, env } = await installed(one);
      await expectToRun(command, { cwd: folder, env });
    },
    190_000,
  );

  it.each(Object.keys(one.manifest.bin ?? {}))('runs npx %s --help', async (program) => {
    const { folder, env } = await installed(one);
    await expectToRun(`npx ${program} --help`, { cwd: folder, env });
  });
});
