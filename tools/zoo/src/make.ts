import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, installPython, type PythonEnvironment } from '@sbp/benchmarks/python';
import { type Network, type NetworkName, networks } from './networks.js';

/** To be raised when the programs in python/ make something else. */
const EDITION = 1;
const SEED = 1;

const wheel = process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
/** Converter and Keras 2 want packages, or another name of TensorFlow's, that would not install beside these. */
const keras: PythonEnvironment = {
  ...{ title: 'Keras and the converter', folder: 'zoo/python', size: 3e9 },
  pip: [
    [`${wheel}==2.21.0`, 'keras==3.15.1'],
    ['--no-deps', 'tf-keras==2.21.0', 'tensorflowjs==4.22.0'],
  ],
};

/** What python/make.py makes of a network, one process each. */
const dialects = ['keras2', 'keras3', 'published'] as const;
type Dialect = (typeof dialects)[number];

/** The files of a network in the cache. */
export function filesOf(name: NetworkName) {
  const at = (file: string) => join(cacheFolder('zoo', 'models'), name, file);
  return {
    folder: at(''),
    /** What people have, by what the tables call it, each with the file that holds its inputs and outputs. */
    sources: {
      converter: { path: at('converter/model.json'), io: at('keras2.io.json') },
      'converter of Keras 3': { path: at('converter3/model.json'), io: at('keras3.io.json') },
      'Keras 2 .h5': { path: at('keras2.h5'), io: at('keras2.io.json') },
      '.keras': { path: at('model.keras'), io: at('keras3.io.json') },
      '.h5': { path: at('model.h5'), io: at('keras3.io.json') },
    },
    /** TensorFlow's own counts. */
    small: at('keras3.json'),
    published: { path: at('published.keras'), counts: at('published.json') },
  };
}

/** Makes what is not there yet. @throws Absent, or an Error with the last line of the program */
export async function makeNetworks(
  names: readonly NetworkName[],
  say: (line: string) => void,
): Promise<void> {
  const python = await installPython(keras, say);
  for (const name of names)
    for (const dialect of dialects) {
      const { marker, wanted, args } = taskOf(name, dialect);
      if (existsSync(marker) && (await readFile(marker, 'utf8')) === wanted) continue;
      say(`${name}: making ${dialect}`);
      await rm(marker, { force: true });
      await mkdir(filesOf(name).folder, { recursive: true });
      await run(python, [fileURLToPath(new URL('../python/make.py', import.meta.url)), ...args]);
      await writeFile(marker, wanted);
    }
}

function taskOf(name: NetworkName, dialect: Dialect) {
  const { folder } = filesOf(name);
  const { size, publishedSize, span }: Network = networks[name];
  const pixels = dialect === 'published' ? publishedSize : size;
  const args = [dialect, name, pixels, SEED, ...span].map(String);
  const wanted = JSON.stringify({ edition: EDITION, pip: keras.pip, args });
  return { args: [...args, folder], wanted, marker: join(folder, `${dialect}.made`) };
}

function run(python: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // its own log is long and says nothing that matters
    const child = spawn(python, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-8000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`make.py ${args.slice(1, 3).join(' ')} failed: ${reasonOf(said) ?? code}`));
    });
  });
}

const reasonOf = (said: string) =>
  said.split('\n').findLast((line) => /^\s*\w*(Error|Exception)\b/.test(line));

/** Versions that the files are made with, as pip was asked for them. */
export const madeWith: readonly string[] = keras.pip.flat().filter((word) => word.includes('=='));
