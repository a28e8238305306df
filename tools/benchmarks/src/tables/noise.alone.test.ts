import { expect, it, vi } from 'vitest';
import type { Contestant } from '../contestants/contestant.js';
import type { Opened } from '../contestants/lines.js';
import type { Field } from '../entrants.js';
import { buildNetwork } from '../networks.js';
import { growthMarkdown, growthSamples, measureGrowth } from './noise.js';
import type { withJob } from './setting.js';

// Jobs of 20 MB each; here what is asked for is enough.
vi.mock('./setting.js', () => ({
  withJob: ((network, options, body) =>
    body(JSON.stringify({ network, ...options }), undefined as never)) satisfies typeof withJob,
}));

it('of growing networks has a row for each, of jobs with noise and without', async () => {
  const jobs: string[] = [];
  // A noisy step takes twice as long as a plain one.
  const field = {
    async open(_: string, job: string): Promise<[Contestant, Opened]> {
      const { network, noise } = JSON.parse(job);
      buildNetwork(network, noise && { trainExamples: 1 }).dispose();
      jobs.push(job);
      const ran = { images: noise ? 50 : 100, seconds: 1 };
      return [{ ask: async () => ran } as unknown as Contestant, {} as Opened];
    },
    clear: () => {},
  } as unknown as Field;
  let ticks = 0;
  const setting = {
    ...{ field, networks: [], engines: ['wasm' as const], peers: [], rounds: 1, seconds: 1, steps: 1 },
    tick: (_: string, samples = 1) => {
      ticks += samples;
    },
  };
  const rows = await measureGrowth(setting);
  expect(rows.map(({ varied, value }) => `${varied} ${value}`).join()).toBe(
    'batch 16,batch 64,batch 256,width 16,width 32,width 64,layers 2,layers 4,layers 8',
  );
  for (const { ratio, reason } of rows) expect({ ratio: ratio?.median, reason }).toEqual({ ratio: 2 });
  expect(jobs).toHaveLength(18);
  expect(jobs.slice(-2)).toEqual(
    [false, true].map((noise) =>
      JSON.stringify({ network: { net: 'stack', depth: 8, width: 32 }, batch: 64, noise }),
    ),
  );
  expect(ticks).toBe(growthSamples(setting));
  const lines = growthMarkdown(rows).split('\n');
  expect(lines.filter((line) => line.startsWith('| layers'))).toHaveLength(3);
});
