import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classTarget, type Dataset, loadMnist } from '@sbp/data';

/** Training and test images. */
const COUNTS = { train: 600, t10k: 500 };

/**
 * Writes a folder of IDX files with the first of MNIST's digits: a run on all 10,000 test images takes most of its time to test. Its tenth that is held out
 * leaves 540 to train on.
 */
export async function fewDigits(folder: string): Promise<void> {
  const { train, test } = await loadMnist();
  mkdirSync(folder);
  write(folder, 'train', train);
  write(folder, 't10k', test);
}

function write(folder: string, part: keyof typeof COUNTS, digits: Dataset): void {
  const count = COUNTS[part];
  const idx = (name: string, dims: number[], values: ArrayLike<number>) => {
    const header = Buffer.from([0, 0, 8, dims.length, ...dims.flatMap((dim) => [0, 0, dim >> 8, dim & 255])]);
    const bytes = Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => values[i]!);
    writeFileSync(join(folder, `${part}-${name}-ubyte`), Buffer.concat([header, bytes]));
  };
  idx('images-idx3', [count, 28, 28], digits.inputs[0]!.values as Uint8Array);
  idx('labels-idx1', [count], classTarget(digits).values);
}
