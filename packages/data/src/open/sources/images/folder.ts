import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, parse, relative } from 'node:path';
import { DataError } from '../../../data-error.js';
import { type DataOptions, inputSpecs, outputSpecs } from '../../options.js';
import { counted, inMemory, type Opened, type PartName, type RawPart, shownPath, some } from '../../raw.js';
import type { Source } from '../source.js';
import { decodeImages, decodeMasks, type ImageShape, isImage } from './decode.js';

const partFolders: Record<string, PartName> = {
  ...{ train: 'train', training: 'train', test: 'test' },
  ...{ validation: 'validation', valid: 'validation', val: 'validation' },
};

/** Files of one folder of images, and what they are. */
type Layout =
  | { kind: 'loose'; files: string[] }
  | { kind: 'classes'; classes: Map<string, string[]> }
  | { kind: 'masks'; files: string[]; masks: string[] };

/** Folders of images: a folder a class, loose ones, or images/ and masks/; also in train/, validation/ and test/. */
export const images: Source = {
  what: 'a folder of images: a folder a class, loose images without labels, or images/ and masks/',
  claims: ({ folder }) => folder,
  async open({ path, names }, options) {
    const shape = imageShape(options, path);
    const others: string[] = [];
    const parts = new Map<PartName | 'all', Layout>();
    const ofPart = names.filter((name) => Object.hasOwn(partFolders, name.toLowerCase()));
    if (ofPart.length > 0) {
      for (const name of ofPart) {
        const part = partFolders[name.toLowerCase()]!;
        if (parts.has(part))
          throw new DataError(
            `${path}: found two folders for ${part}; keep one of ${ofPart.join(', ')}`,
            path,
          );
        parts.set(part, await layoutOf(join(path, name), others));
      }
      if (!parts.has('train'))
        throw new DataError(`${path}: expected train/ beside ${some(ofPart)}, found none; add it`, path);
    } else parts.set('all', await layoutOf(path, others));
    const kinds = new Set([...parts.values()].map(({ kind }) => kind));
    if (kinds.size > 1)
      throw new DataError(
        `${path}: expected the same in each of ${some(ofPart)}, found ${[...kinds].join(' and ')}; give each folders of the same names`,
        path,
      );
    const classes = classNames([parts.get('train') ?? parts.get('all')!, ...parts.values()], options, path);
    const opened: Opened = { parts: {}, notes: [], ...(classes && { classes }) };
    for (const [part, layout] of parts) opened.parts[part] = rawPart(layout, classes, shape, options, path);
    const [h, w, c] = shape;
    opened.notes.push(
      `Images: JPEG, PNG and WebP, stretched to ${h} × ${w} where they have another size, ${c === 1 ? 'greyscale' : 'RGB'}`,
    );
    if (others.length > 0)
      opened.notes.push(
        `Left out ${counted(others.length, 'file')} not named as JPEG, PNG or WebP: ${some(others)}`,
      );
    return opened;
  },
};

function imageShape(options: DataOptions, path: string): ImageShape {
  const specs = inputSpecs(options);
  const found = specs.map(({ name, shape }) => `'${name}' [${shape.join(', ')}]`).join(', ');
  const [height, width, channels] = specs[0]?.shape ?? [];
  const fits = specs.length === 1 && specs[0]!.shape.length === 3 && height && width;
  if (!fits || (channels !== 1 && channels !== 3))
    throw new DataError(
      `${path}: images need a model with one input of [height, width, 1 or 3], found ${found || 'none'}; say it in 'inputs', such as { image: [224, 224, 3] }`,
      path,
    );
  return [height, width, channels];
}

async function layoutOf(path: string, others: string[]): Promise<Layout> {
  const entries = await listed(path);
  const folders = entries.filter(({ folder }) => folder).map(({ name }) => name);
  const loose = entries.filter(({ folder }) => !folder).map(({ name }) => name);
  const [kept, left] = [loose.filter(isImage), loose.filter((name) => !isImage(name))];
  others.push(...left.map((name) => join(path, name)));
  const below = async (name: string) => {
    const files = await filesBelow(join(path, name));
    others.push(...files.filter((file) => !isImage(file)));
    return files.filter(isImage);
  };
  if (folders.length === 2 && folders.includes('images') && folders.includes('masks'))
    return paired(await below('images'), await below('masks'), path);
  if (folders.length === 0) {
    if (kept.length > 0) return { kind: 'loose', files: kept.map((name) => join(path, name)) };
    throw new DataError(
      `${path}: expected images (JPEG, PNG, WebP) or a folder of them for each class, found ${left.length ? some(left) : 'nothing'}`,
      path,
    );
  }
  if (kept.length > 0)
    throw new DataError(
      `${path}: expected a folder for each class or loose images, found both (${some(folders)}; ${some(kept)}); move the loose ones to where they belong`,
      path,
    );
  const classes = new Map<string, string[]>();
  for (const name of folders) classes.set(name, await below(name));
  return { kind: 'classes', classes };
}

/** Images and masks of the same name, without what is behind the last dot. */
function paired(images: string[], masks: string[], path: string): Layout {
  const stem = (file: string, folder: string) => {
    const { dir, name } = parse(relative(join(path, folder), file));
    return join(dir, name);
  };
  const byStem = new Map(masks.map((file) => [stem(file, 'masks'), file]));
  const found = images.map((file) => byStem.get(stem(file, 'images')));
  const alone = images.find((_, i) => found[i] === undefined);
  if (alone)
    throw new DataError(
      `${alone}: expected a mask of the same name in ${join(path, 'masks')}, found none; add it or move the image away`,
      alone,
    );
  if (new Set(found).size < masks.length) {
    const extra = masks.find((file) => !found.includes(file))!;
    throw new DataError(
      `${extra}: expected an image of the same name in ${join(path, 'images')}, found none; add it or move the mask away`,
      extra,
    );
  }
  if (images.length === 0) throw new DataError(`${path}: expected images in images/, found none`, path);
  return { kind: 'masks', files: images, masks: found as string[] };
}

/** The classes in their order, checked. @param layouts first what is trained on @returns undefined where there are none */
function classNames(
  layouts: Layout[],
  { classes, outputs }: DataOptions,
  path: string,
): readonly string[] | undefined {
  const found = [
    ...new Set(layouts.flatMap((layout) => (layout.kind === 'classes' ? [...layout.classes.keys()] : []))),
  ].sort();
  if (found.length === 0) return undefined;
  const names = classes ?? found;
  const unknown = found.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new DataError(
      `${join(path, unknown[0]!)}: expected folders named as the classes (${some(names)}), found ${some(unknown)}; rename or remove it`,
      path,
    );
  // Of what is trained on; a class may be missing from a small test set.
  const [layout] = layouts as [Layout & { kind: 'classes' }];
  const empty = names.filter((name) => !layout.classes.get(name)?.length);
  if (empty.length > 0)
    throw new DataError(
      `${path}: expected images (JPEG, PNG, WebP) of each class, found none of ${some(empty)}; add some or remove the class`,
      path,
    );
  const [{ size } = {}] = outputSpecs({ outputs });
  const expected = size === 1 ? 2 : size;
  if (expected !== undefined && expected !== names.length)
    throw new DataError(
      `${path}: expected ${expected} classes, as many as the model tells apart, found ${names.length} folders: ${some(names)}; give the folders that the model was trained on, or 'classes'`,
      path,
    );
  return names;
}

function rawPart(
  layout: Layout,
  classes: readonly string[] | undefined,
  shape: ImageShape,
  options: DataOptions,
  root: string,
): RawPart {
  const files =
    layout.kind === 'classes' ? classes!.flatMap((name) => layout.classes.get(name) ?? []) : layout.files;
  if (files.length === 0)
    throw new DataError(`${root}: expected images in each part, found one without`, root);
  const where = (example: number) => shownPath(files[example]!);
  const common = { size: files.length, dtype: 'uint8' as const, where };
  const image = { ...common, name: 'image', shape, pieces: () => decodeImages(files, shape) };
  if (layout.kind === 'classes') {
    const labels = classes!.flatMap((name, label) => (layout.classes.get(name) ?? []).map(() => label));
    return { inputs: [image], targets: [inMemory('label', Int32Array.from(labels), [], where)] };
  }
  if (layout.kind === 'loose') return { inputs: [image], targets: [] };
  const [{ size = 2 } = {}] = outputSpecs(options);
  const [height, width] = shape;
  const pieces = () => decodeMasks(layout.masks, [height, width], size <= 2);
  const whereMask = (example: number) => shownPath(layout.masks[example]!);
  return {
    inputs: [image],
    targets: [{ ...common, name: 'mask', kind: 'classes', shape: [height, width], pieces, where: whereMask }],
  };
}

/** What lies in a folder, hidden things left out, in the order of names. */
async function listed(path: string): Promise<{ name: string; folder: boolean }[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.'))
      .map(async (entry) => ({ name: entry.name, ...(await kindOf(entry, path)) })),
  );
  return found.filter(({ folder, file }) => folder || file).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A link to a file is that file; links to folders are not followed, as they may lead in a circle. */
async function kindOf(entry: Dirent, path: string): Promise<{ folder: boolean; file: boolean }> {
  const linked = entry.isSymbolicLink()
    ? await stat(join(path, entry.name)).catch(() => undefined)
    : undefined;
  return { folder: entry.isDirectory(), file: entry.isFile() || linked?.isFile() === true };
}

async function filesBelow(path: string): Promise<string[]> {
  const files: string[] = [];
  for (const { name, folder } of await listed(path)) {
    if (folder) files.push(...(await filesBelow(join(path, name))));
    else files.push(join(path, name));
  }
  return files;
}
