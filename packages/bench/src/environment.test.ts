import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { environment } from './environment.js';

it('says what a result was measured with', async () => {
  await tf.setBackend('cpu');
  const found = environment();
  expect(found).toMatchObject({ node: process.version, tfjs: tf.version.tfjs, engine: 'cpu' });
  expect(found.cores).toBeGreaterThan(0);
  expect(found.cpu).not.toBe('');
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});
