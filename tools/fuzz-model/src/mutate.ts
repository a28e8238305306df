import { spawnSync } from 'node:child_process';
import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import type { Dice } from './dice.js';

/** Damages the files of a model in a folder; says in a word how. */
type Mutation = (folder: string, dice: Dice, secret: string) => Promise<void>;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const oneFile = async (folder: string, dice: Dice) => join(folder, dice.pick((await readdir(folder)).sort()));

const weightFile = async (folder: string, dice: Dice) => {
  const names = (await readdir(folder)).sort();
  return join(folder, dice.pick(names.filter((name) => /\.(bin|keras|h5)$/.test(name))) ?? names[0]!);
};

/** What a field may suddenly be. */
const oddities: readonly Json[] = [
  null,
  true,
  -1,
  0,
  1,
  2,
  0.5,
  8.5,
  1e6,
  1e9,
  2 ** 31,
  2 ** 53,
  1e300,
  '',
  'x',
  'constructor',
  '__proto__',
  'Functional',
  'Bidirectional',
  'Lambda',
  'a\u0000b\u001b[31m\u202e',
  'y'.repeat(5000),
  [],
  {},
  [null],
  [[]],
  [1e9, 1e9],
  Array(3000).fill('weights.bin'),
];

const waysOut = (secret: string): string[] => [
  '../secret.bin',
  './../secret.bin',
  'x/../../secret.bin',
  '..\\secret.bin',
  secret,
  `file://${secret}`,
  `${secret}\u0000.bin`,
  '%2e%2e/secret.bin',
  'http://localhost/secret.bin',
  'C:\\secret.bin',
  '',
  '.',
  '/dev/zero',
  '/proc/self/environ',
];

interface Place {
  parent: Json[] | { [key: string]: Json };
  key: string | number;
}

function places(json: Json): Place[] {
  const found: Place[] = [];
  const pending: Json[] = [json];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
      found.push({ parent: value, key });
      pending.push((value as Record<string | number, Json>)[key]!);
    }
  }
  return found;
}

const at = ({ parent, key }: Place) => (parent as Record<string | number, Json>)[key]!;
const put = ({ parent, key }: Place, value: Json) => {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
};

/** Changes what a model's JSON says, in a `.keras` file as well; a `.h5` file is damaged by the byte. */
function fields(change: (json: Json, dice: Dice, secret: string) => void): Mutation {
  return async (folder, dice, secret) => {
    const names = await readdir(folder);
    if (names.includes('model.keras')) {
      const file = join(folder, 'model.keras');
      const entries = unzipSync(await readFile(file));
      const json: Json = JSON.parse(strFromU8(entries['config.json']!));
      change(json, dice, secret);
      await writeFile(
        file,
        zipSync({ ...entries, 'config.json': strToU8(JSON.stringify(json)) }, { level: 0 }),
      );
    } else if (names.includes('model.json')) {
      const file = join(folder, 'model.json');
      const json: Json = JSON.parse(await readFile(file, 'utf8'));
      change(json, dice, secret);
      await writeFile(file, JSON.stringify(json));
    } else await bytes(folder, dice, secret);
  };
}

const bytes: Mutation = async (folder, dice) => {
  const file = await oneFile(folder, dice);
  const content = await readFile(file);
  for (let i = dice.below(4); i >= 0 && content.length > 0; i--)
    content[dice.below(content.length)] = dice.below(256);
  await writeFile(file, content);
};

const whereKey = (json: Json, test: (key: string | number, value: Json) => boolean) =>
  places(json).filter((place) => test(place.key, at(place)));

/** By name, for the table. */
export const mutations: Record<string, Mutation> = {
  'bytes changed': bytes,
  'bytes cut off': async (folder, dice) => {
    const file = await oneFile(folder, dice);
    await truncate(file, dice.below((await readFile(file)).length + 1));
  },
  'bytes added': async (folder, dice) =>
    appendFile(await oneFile(folder, dice), Buffer.alloc(1 + dice.below(5000), dice.below(256))),
  'random bytes': async (folder, dice) => {
    const content = Buffer.alloc(dice.below(2000));
    for (let i = 0; i < content.length; i++) content[i] = dice.below(256);
    await writeFile(await oneFile(folder, dice), content);
  },
  'NaN or infinity': async (folder, dice) => {
    const file = await weightFile(folder, dice);
    const content = await readFile(file);
    if (content.length < 4) return;
    content.writeFloatLE(
      dice.pick([Number.NaN, Infinity, -Infinity, 3e38]),
      4 * dice.below(Math.floor(content.length / 4)),
    );
    await writeFile(file, content);
  },
  'file missing': async (folder, dice) => rm(await oneFile(folder, dice)),
  'folder, pipe, device or link instead of a file': async (folder, dice, secret) => {
    const file = await oneFile(folder, dice);
    // Of the right size, so that only where it lies speaks against it.
    await copyFile(file, secret);
    await rm(file);
    const kind = dice.below(6);
    if (kind === 0) await mkdir(file);
    else if (kind === 1) spawnSync('mkfifo', [file]);
    else await symlink(dice.pick([secret, '../secret.bin', '/dev/zero', '/dev/tty', 'nowhere', file]), file);
  },
  'field odd': fields((json, dice) => put(dice.pick(places(json)), structuredClone(dice.pick(oddities)))),
  'number changed': fields((json, dice) => {
    const numbers = whereKey(json, (_, value) => typeof value === 'number');
    const place = dice.pick(numbers);
    if (!place) return;
    const value = at(place) as number;
    put(
      place,
      dice.pick([value + 1, value - 1, -value, value * 10, value * 1e6, value / 2, 2 ** 31 - 1, 1e15]),
    );
  }),
  'field missing': fields((json, dice) => {
    const { parent, key } = dice.pick(places(json));
    if (Array.isArray(parent)) parent.splice(key as number, 1);
    else delete parent[key];
  }),
  'item twice': fields((json, dice) => {
    const lists = places(json).filter(({ parent }) => Array.isArray(parent));
    const place = dice.pick(lists);
    if (!place) return;
    const copies = Array.from({ length: dice.pick([1, 1, 2, 1000]) }, () => structuredClone(at(place)));
    (place.parent as Json[]).splice(place.key as number, 0, ...copies);
  }),
  'field from elsewhere': fields((json, dice) => {
    const all = places(json);
    const value = structuredClone(at(dice.pick(all)));
    put(dice.pick(all), value);
  }),
  'key renamed': fields((json, dice) => {
    const { parent, key } = dice.pick(places(json).filter(({ parent }) => !Array.isArray(parent)));
    const value = (parent as { [key: string]: Json })[key]!;
    delete (parent as { [key: string]: Json })[key];
    put(
      { parent, key: dice.pick(['__proto__', 'constructor', 'toString', '', 'name', 'config', 'layers']) },
      value,
    );
  }),
  'links changed': fields((json, dice) => {
    const names = whereKey(json, (key, value) => key === 'name' && typeof value === 'string').map(at);
    const lists = whereKey(json, (key) =>
      ['inbound_nodes', 'input_layers', 'output_layers'].includes(String(key)),
    );
    for (let i = dice.below(3); i >= 0; i--) {
      const list = dice.pick(lists);
      if (!list) return;
      const leaves = places(at(list)).filter((place) => typeof at(place) !== 'object');
      const leaf = dice.pick(leaves);
      if (!leaf) continue;
      put(
        leaf,
        typeof at(leaf) === 'string' ? dice.pick([...names, 'nowhere']) : dice.pick([0, 1, 2, 7, -1, 0.5]),
      );
    }
  }),
  'name changed': fields((json, dice) => {
    const names = whereKey(json, (key, value) => key === 'name' && typeof value === 'string');
    const place = dice.pick(names);
    if (place) put(place, at(dice.pick(names)));
  }),
  'path changed': async (folder, dice, secret) => {
    let old: Json | undefined;
    await fields((json, dice) => {
      const place = dice.pick(
        places(json).filter(({ parent, key }) => key === 'paths' && !Array.isArray(parent)),
      );
      const list = place && at(place);
      if (!Array.isArray(list) || list.length === 0) return;
      const index = dice.below(list.length);
      old = list[index]!;
      list[index] = dice.pick(waysOut(secret));
    })(folder, dice, secret);
    // Of the right size, so that only where it lies speaks against it.
    if (typeof old === 'string') await copyFile(join(folder, old), secret);
  },
  'class changed': fields((json, dice) => {
    const classes = whereKey(json, (key, value) => key === 'class_name' && typeof value === 'string');
    const place = dice.pick(classes);
    if (place)
      put(
        place,
        dice.pick([
          ...classes.map(at),
          'Functional',
          'Sequential',
          'Bidirectional',
          'TimeDistributed',
          'RNN',
          'StackedRNNCells',
          'ConvLSTM2D',
          'Zeros',
          'Lambda',
          'toString',
        ]),
      );
  }),
  'layer in itself': fields((json, dice) => {
    const layers = whereKey(
      json,
      (_, value) => typeof value === 'object' && value !== null && 'class_name' in value,
    );
    const place = dice.pick(layers);
    if (!place) return;
    let value = at(place);
    const key = dice.pick(['layer', 'layers', 'cell', 'cells']);
    for (let i = dice.pick([1, 3, 8, 40, 300]); i > 0; i--) {
      const inner = key.endsWith('s') ? [value, structuredClone(i < 4 ? value : null)] : value;
      const cls = dice.pick(['Bidirectional', 'TimeDistributed', 'Sequential', 'RNN', 'StackedRNNCells']);
      value = { class_name: cls, name: `w${i}`, config: { name: `w${i}`, [key]: inner } };
    }
    put(place, value);
  }),
  'very deep': async (folder, dice, secret) => {
    const mark = 'as deep as the sea';
    await fields((json, dice) => put(dice.pick(places(json)), mark))(folder, dice, secret);
    const file = await oneFile(folder, dice);
    const text = await readFile(file, 'latin1');
    // Deeper than JSON.stringify can write.
    const depth = dice.pick([100, 500, 5000, 200_000]);
    const [open, close] = dice.pick([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    const deep = `${open.repeat(depth)}1${close.repeat(depth)}`;
    await writeFile(file, text.replace(`"${mark}"`, deep), 'latin1');
  },
};
