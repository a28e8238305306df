import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Barrier } from './barrier.js';

describe('Barrier', () => {
  it('lets nobody on before all have come, round after round, and breaks for good', async () => {
    const memory = new SharedArrayBuffer(Barrier.bytes);
    const counts = new Int32Array(new SharedArrayBuffer(12));
    const source = `
      const { workerData: { memory, counts, index, file } } = require('node:worker_threads');
      import(file).then(({ Barrier }) => {
        const barrier = new Barrier(memory, 3);
        for (let round = 1; round <= 200; round++) {
          Atomics.add(counts, index, 1);
          if (!barrier.wait()) throw new Error('broken');
          for (const other of counts) if (other < round) throw new Error('somebody was left behind');
          if (!barrier.wait()) throw new Error('broken');
        }
        if (index < 2 && barrier.wait()) throw new Error('went through a broken barrier');
      });`;
    const file = new URL('../../dist/replicas/barrier.js', import.meta.url).href;
    const ends = [0, 1, 2].map(
      (index) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(source, { eval: true, workerData: { memory, counts, index, file } });
          worker.on('error', reject);
          worker.on('exit', resolve);
        }),
    );
    await ends[2];
    new Barrier(memory, 3).break();
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    expect([...counts]).toEqual([200, 200, 200]);
  });
});
