import { readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { decode } from 'fast-png';
import type { Numbers } from '../../../dataset/dataset.js';
import { type Broken, shown, shownPath } from '../../raw.js';

/** [height, width, channels] */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** What each file has to begin with; libvips reads many more formats, some of which read other files. */
const magics: Record<string, (bytes: Uint8Array) => boolean> = {
  JPEG: (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff,
  PNG: (bytes) => Buffer.from(bytes.subarray(0, 8)).equals(Buffer.from('89504e470d0a1a0a', 'hex')),
  WebP: (bytes) => latin1(bytes, 0, 4) === 'RIFF' && latin1(bytes, 8, 12) === 'WEBP',
};

export const isImage = (name: string) => /\.(jpe?g|png|webp)$/i.test(name);

/** More is no photograph. */
const MOST_BYTES = 2 ** 28;
const MOST_PIXELS = 2 ** 27;

const latin1 = (bytes: Uint8Array, from: number, to: number) =>
  Buffer.from(bytes.subarray(from, to)).toString('latin1');

/**
 * Images as bytes of one shape, in the order of the files; some are decoded at once, so that all cores have work. Stretched to the shape as by
 * Keras's `image_dataset_from_directory`; transparency and the camera's orientation are ignored, as there.
 */
export async function* decodeImages(
  files: readonly string[],
  shape: ImageShape,
): AsyncGenerator<Numbers | Broken> {
  // Not before there are images: a page that bundles this package has none.
  const { default: sharp } = await import('sharp');
  const [height, width, channels] = shape;
  yield* inFlight(files, async (file) => {
    const { data, info } = await sharp(await bytesOf(file), {
      limitInputPixels: MOST_PIXELS,
      failOn: 'error',
    })
      .removeAlpha()
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .resize({ height, width, fit: 'fill', kernel: 'linear' })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels || info.height !== height || info.width !== width)
      throw new Error(`decodes to ${info.height} × ${info.width} × ${info.channels}`);
    return new Uint8Array(data.buffer, data.byteOffset, data.length);
  });
}

/**
 * Masks as class numbers: the grey values or the places in the palette of each PNG, at the nearest place of the shape.
 *
 * @param binary whether two classes are told apart, so that 255 is 1
 */
export async function* decodeMasks(
  files: readonly string[],
  [height, width]: readonly [number, number],
  binary: boolean,
): AsyncGenerator<Numbers | Broken> {
  yield* inFlight(files, async (file) => {
    const bytes = await bytesOf(file, ['PNG']);
    checkPixels(bytes);
    const image = decode(bytes);
    if (image.channels !== 1 || image.depth > 8)
      throw new Error(
        `a mask has one channel of at most 8 bits, each pixel its class's number, and this one ${image.channels} of ${image.depth} bits`,
      );
    const out = new Uint8Array(height * width);
    const rowBytes = Math.ceil((image.width * image.depth) / 8);
    const perByte = 8 / image.depth;
    for (let y = 0, to = 0; y < height; y++) {
      const row = rowBytes * Math.floor(((y + 0.5) * image.height) / height);
      for (let x = 0; x < width; x++, to++) {
        const column = Math.floor(((x + 0.5) * image.width) / width);
        const byte = image.data[row + Math.floor(column / perByte)]!;
        const value = (byte >> (8 - image.depth * ((column % perByte) + 1))) & (2 ** image.depth - 1);
        out[to] = binary && value === 255 ? 1 : value;
      }
    }
    return out;
  });
}

/** Before memory is taken: width and height stand at a fixed place. */
function checkPixels(png: Uint8Array): void {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const pixels = png.length < 24 ? 0 : view.getUint32(16) * view.getUint32(20);
  if (pixels > MOST_PIXELS) throw new Error(`it says that it has ${pixels} pixels`);
}

async function bytesOf(file: string, formats = Object.keys(magics)): Promise<Buffer> {
  const { size } = await stat(file);
  if (size > MOST_BYTES) throw new Error(`it has ${size} bytes`);
  const bytes = await readFile(file);
  if (!formats.some((format) => magics[format]!(bytes)))
    throw new Error(size === 0 ? 'it is empty' : `it is not ${formats.join(', ')} inside`);
  return bytes;
}

async function* inFlight(
  files: readonly string[],
  decodeOne: (file: string) => Promise<Uint8Array>,
): AsyncGenerator<Numbers | Broken> {
  const most = 2 * availableParallelism();
  const running: Promise<Uint8Array | Broken>[] = [];
  const begin = (file: string) =>
    decodeOne(file).catch((error: Error) => ({
      broken: `${shownPath(file)}: can't be read as an image (${shown(error.message.split('\n')[0]!)})`,
    }));
  for (let next = 0; next < files.length || running.length > 0; ) {
    while (next < files.length && running.length < most) running.push(begin(files[next++]!));
    yield await running.shift()!;
  }
}
