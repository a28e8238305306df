import { readFileSync } from 'node:fs';
import { runConfigSchema } from '@sbp/cli';
import { expect, it } from 'vitest';

it('is a config of sbp train: the LeNet-5 of the README on all of MNIST', () => {
  const config = runConfigSchema.parse(
    JSON.parse(readFileSync(new URL('../quickstart.json', import.meta.url), 'utf8')),
  );
  expect(config).toMatchObject({ name: 'quickstart', net: 'lenet5', data: { set: 'mnist' }, engine: 'auto' });
  expect(config.data.trainExamples).toBeUndefined();
  expect(config.bench.batchSizes).toEqual([1, 100]);
});
