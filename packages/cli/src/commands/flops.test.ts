import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { saveModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { emptyFolder } from '../testing/process.js';
import { sbp } from '../testing/sbp.js';

it('sbp flops --groups tells which channels go together, and why some stay', async () => {
  await tf.setBackend('cpu');
  const folder = emptyFolder();
  try {
    const dense = (name: string, units: number) => tf.layers.dense({ name, units });
    const x = tf.input({ name: 'x', shape: [3] });
    const a = dense('a', 4).apply(x) as tf.SymbolicTensor;
    const b = dense('b', 4).apply(a) as tf.SymbolicTensor;
    const sum = tf.layers.add({ name: 'sum' }).apply([a, b]);
    const outputs = dense('c', 2).apply(sum) as tf.SymbolicTensor;
    await saveModel(tf.model({ inputs: x, outputs }), join(folder, 'model'));
    const { stdout } = await sbp(folder, 'flops', 'model', '--groups');
    expect(stdout).toMatch(/4 \| a, b +\| sum +\| b, c +\| yes/);
    expect(stdout).toMatch(/2 \| c .*no: they are the model's output/);
    const json = await sbp(folder, 'flops', 'model', '--groups', '--json');
    expect(JSON.parse(json.stdout)[0]).toMatchObject({ groups: 4, makers: ['a', 'b'], readers: ['b', 'c'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
