import { expect, it } from 'vitest';
import { Contestant } from './contestant.js';

const program = (code: string) => new Contestant([process.execPath, '-e', code]);

it('answers past what libraries print', async () => {
  const contestant = program(
    `console.log('loading'); process.stdin.once('data', () => console.log('{"images":6,"seconds":2}'))`,
  );
  expect(await contestant.ask({ do: 'run', seconds: 1 })).toEqual({ images: 6, seconds: 2 });
  contestant.stop();
});

it('tells why it is gone', async () => {
  const contestant = program(`throw new TypeError('no such engine')`);
  await expect(contestant.ask({ do: 'check' })).rejects.toThrow('it ended: TypeError: no such engine');
});

it('tells that its program is missing', async () => {
  await expect(new Contestant(['/no/such/python']).ask({ do: 'check' })).rejects.toThrow('ENOENT');
});

it('hands on the error that it answers with', async () => {
  const contestant = program(`console.log('{"error":"ValueError: bad shape"}'); process.stdin.resume()`);
  await expect(contestant.ask({ do: 'check' })).rejects.toThrow('ValueError: bad shape');
  contestant.stop();
});
