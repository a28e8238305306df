import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// the built package: worker threads run JavaScript
import {
  type Batch,
  type BatchesAhead,
  batchArrays,
  batchesAhead,
  createDataset,
  evenPart,
  labelledImages,
  type NumbersFile,
  prepared,
  readBatch,
  shuffledIndices,
  subset,
} from '@sbp/data';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { imagesOf } from '../testing.js';

const SIZE = 23;
const PIXELS = 6 * 5 * 3;
const grain = labelledImages({
  name: 'grain',
  images: Uint8Array.from({ length: SIZE * PIXELS }, (_, i) => Math.imul(i, 2_654_435_761) >>> 24),
  labels: Uint8Array.from({ length: SIZE }, (_, i) => i),
  shape: [6, 5, 3],
  classes: SIZE,
});
const dataset = prepared(grain, { normalize: 'standardize', augment: ['cifar10'] });

interface Taken {
  batchSize: number;
  seed: number;
  part?: { index: number; of: number };
}

/** The examples of a step, and its epoch. */
function planned({ batchSize, seed, part = { index: 0, of: 1 } }: Taken, step: number) {
  const steps = Math.ceil(SIZE / batchSize);
  const epoch = Math.floor(step / steps);
  const from = (step % steps) * batchSize;
  const batch = shuffledIndices(SIZE, seed, epoch).subarray(from, from + batchSize);
  return { epoch, indices: batch.subarray(...evenPart(batch.length, part.index, part.of)) };
}

function expected(run: Taken, step: number): Batch {
  const { epoch, indices } = planned(run, step);
  return readBatch(dataset, indices, batchArrays(dataset, indices.length), { seed: run.seed, epoch });
}

function taken(batches: BatchesAhead, run: Taken, step: number): Batch {
  const { indices } = planned(run, step);
  const out = batchArrays(dataset, indices.length);
  for (const array of [...out.inputs, ...out.targets]) array.fill(-9);
  batches.fill(step, indices, out);
  return out;
}

const aWhile = () => new Promise((resolve) => setTimeout(resolve, 20));

const runs: BatchesAhead[] = [];
const begin = (...args: Parameters<typeof batchesAhead>) => {
  runs.push(batchesAhead(...args));
  return runs.at(-1)!;
};
afterEach(() => {
  for (const batches of runs.splice(0)) batches.stop();
  vi.restoreAllMocks();
});

/** Asks for steps until one was ready, or for ten seconds: a thread takes a while to start. */
async function started(batches: BatchesAhead, run: Taken): Promise<number> {
  for (let step = 0; step < 500; step++) {
    const before = batches.madeHere;
    expect(taken(batches, run, step)).toEqual(expected(run, step));
    if (batches.madeHere === before) return step + 1;
    await aWhile();
  }
  throw new Error('no thread made a batch');
}

describe('batchesAhead', () => {
  it.each([1, 3])('gives the same bits from %i threads, over the ends of epochs', async (threads) => {
    const run = { batchSize: 4, seed: 9 };
    const batches = begin({ dataset, ...run }, { threads });
    const first = await started(batches, run);
    const before = batches.madeHere;
    for (let step = first; step < first + 30; step++) {
      await aWhile();
      expect(taken(batches, run, step)).toEqual(expected(run, step));
    }
    // Most were ready, though the machine may be busy with something else.
    expect(batches.madeHere - before).toBeLessThan(15);
  });

  it('gives the same bits when it is asked faster than it can, from any step and back again', async () => {
    const run = { batchSize: 3, seed: 1 };
    const batches = begin({ dataset, ...run }, { threads: 2 });
    await started(batches, run);
    const from = fc.nat(1000);
    const length = fc.integer({ min: 1, max: 12 });
    const pauses = fc.boolean();
    await fc.assert(
      fc.asyncProperty(from, length, pauses, async (from, length, pauses) => {
        for (let step = from; step < from + length; step++) {
          if (pauses) await new Promise((resolve) => setTimeout(resolve, 1));
          expect(taken(batches, run, step)).toEqual(expected(run, step));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("prepares each replica's part of a batch, also where some have none", async () => {
    // The last batch of an epoch has 2 examples for 3 replicas.
    for (const index of [0, 1, 2]) {
      const run = { batchSize: 7, seed: 2, part: { index, of: 3 } };
      const batches = begin({ dataset, ...run });
      const first = await started(batches, run);
      for (let step = first; step < first + 8; step++) {
        await aWhile();
        expect(taken(batches, run, step)).toEqual(expected(run, step));
      }
    }
  });

  it('makes those of other examples than planned itself', async () => {
    const run = { batchSize: 4, seed: 9 };
    const batches = begin({ dataset, ...run });
    const step = await started(batches, run);
    await aWhile();
    const { epoch } = planned(run, step);
    const [found, wanted] = [batchArrays(dataset, 2), batchArrays(dataset, 2)];
    batches.fill(step, Uint32Array.of(5, 6), found);
    readBatch(dataset, [5, 6], wanted, { seed: run.seed, epoch });
    expect(found).toEqual(wanted);
  });

  it('reads files in its threads: inputs and targets of any type, augmented, the same as from memory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sbp-ahead-'));
    const [masks, ids] = [
      imagesOf(grain).filter((_, i) => i % 3 === 0),
      Int32Array.from({ length: 4 * SIZE }, (_, i) => 1e5 + i),
    ];
    await writeFile(join(folder, 'images'), Buffer.concat([Buffer.from('head'), imagesOf(grain)]));
    await writeFile(join(folder, 'masks'), masks);
    const both = (images: NumbersFile | Uint8Array, values: NumbersFile | Uint8Array) =>
      createDataset({
        name: 'both',
        size: SIZE,
        inputs: [
          { name: 'image', shape: [6, 5, 3], values: images, normalize: '-1..1' },
          { name: 'ids', shape: [4], values: ids },
        ],
        targets: [{ name: 'mask', kind: 'classes', shape: [6, 5], values, classes: 256 }],
        augment: ['flip', 'crop'],
      });
    const file = (name: string, offset: number) =>
      ({ file: join(folder, name), offset, dtype: 'uint8' }) as const;
    const read = subset(both(file('images', 4), file('masks', 0)), [3, 20]);
    const held = subset(both(imagesOf(grain), masks), [3, 20]);
    const batches = begin({ dataset: read, seed: 4, batchSize: 5 }, { threads: 2 });
    for (let step = 0; step < 500 && batches.madeHere === step; step++) {
      const epoch = Math.floor(step / 4);
      const indices = shuffledIndices(17, 4, epoch).subarray((step % 4) * 5, (step % 4) * 5 + 5);
      const into = batchArrays(read, indices.length);
      batches.fill(step, indices, into);
      expect(into).toEqual(readBatch(held, indices, batchArrays(held, indices.length), { seed: 4, epoch }));
      expect(into.inputs[1]).toBeInstanceOf(Int32Array);
      await aWhile();
    }
    expect(batches.madeHere).toBeLessThan(500);
    await rm(folder, { recursive: true });
  });

  it('makes all of them itself where there are no worker threads, as in browsers', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    const run = { batchSize: 4, seed: 9 };
    const batches = begin({ dataset, ...run });
    for (let step = 0; step < 10; step++) expect(taken(batches, run, step)).toEqual(expected(run, step));
    expect(batches.madeHere).toBe(10);
  });

  it('keeps no process alive, stopped or not', async () => {
    const script = (end: string) => `
      import { batchArrays, batchesAhead, labelledImages, prepared, shuffledIndices } from '@sbp/data';
      const dataset = prepared(
        labelledImages({ name: 'x', images: new Uint8Array(100), labels: new Uint8Array(100), shape: [1, 1, 1], classes: 1 }),
        { normalize: 'standardize', augment: ['cifar10'] },
      );
      const batches = batchesAhead({ dataset, seed: 1, batchSize: 10 }, { threads: 2 });
      const order = (step) => shuffledIndices(100, 1, Math.floor(step / 10)).subarray((step % 10) * 10, (step % 10) * 10 + 10);
      let step = 0;
      for (; batches.madeHere === step && step < 500; step++) {
        batches.fill(step, order(step), batchArrays(dataset, 10));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      if (batches.madeHere === step) throw new Error('no thread made a batch');
      ${end}`;
    for (const end of ['', 'batches.stop();', 'process.exit(0);']) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script(end)], { stdio: 'inherit' });
      expect(await once(child, 'exit'), end).toEqual([0, null]);
    }
  });
});
