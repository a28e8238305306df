// The contestants' networks are the same: parameters, the objective at the same weights, and how it falls.
import { existsSync } from 'node:fs';
import { engineStatus } from '@sbp/engine';
import { describe, expect, it } from 'vitest';
import { type Entrant, entrants, Field } from './entrants.js';
import type { Network } from './networks.js';
import { peers } from './peers/install.js';
import { isPythonInstalled } from './peers/python.js';
import { withJob } from './tables/setting.js';
import { disagreement } from './tables/speed.js';

const hasTensorflow = (await engineStatus()).some(
  ({ name, available }) => name === 'tensorflow' && available,
);
const built = existsSync(new URL('../dist/contestants/ours.js', import.meta.url));

function missing(entrant: Entrant): string | undefined {
  if (!built) return 'dist is not built';
  if (entrant === 'pytorch' || entrant === 'tensorflow')
    return isPythonInstalled(peers()[entrant]) ? undefined : 'npm run bench:train installs it';
  return hasTensorflow || entrant.includes('wasm') ? undefined : 'the tensorflow engine is not installed';
}

const cases: [string, Network, number][] = [
  ['LeNet-fc', { net: 'lenet-fc' }, 32],
  ['LeNet-5', { net: 'lenet5' }, 16],
  ['VGG-like ×1/16', { net: 'vgg', scale: 1 / 16 }, 16],
];

describe.skipIf(!process.env.SBP_PEERS).each(cases)('%s', (_, network, batch) => {
  for (const entrant of entrants.filter((each) => each !== 'ours-wasm-1' && each !== 'bound')) {
    const reason = missing(entrant);
    it.skipIf(reason)(`${entrant} does what ours does${reason ? ` (skipped: ${reason})` : ''}`, async () => {
      const field = new Field(() => {});
      await withJob(network, { batch, noise: true }, async (folder, job) => {
        const entry = async (who: Entrant) => {
          const [contestant, { parameters }] = await field.open(who, folder, 0.01);
          return { entrant: who, title: who, parameters, check: await contestant.ask({ do: 'check' }) };
        };
        const ours = await entry('ours-wasm-1');
        expect(disagreement(await entry(entrant), ours, job.trainable)).toBeUndefined();
      });
      field.clear();
    });
  }
});
