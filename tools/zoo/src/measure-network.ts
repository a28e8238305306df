// What there is to say of one network, in a process of its own. Usage: node dist/measure-network.js NAME; a line of JSON after each step, the last one has all.
import { useEngine } from '@sbp/engine';
import { measure } from './measure.js';
import type { NetworkName } from './networks.js';

await useEngine('wasm');
await measure(
  process.argv[2] as NetworkName,
  (result) => process.stdout.write(`${JSON.stringify(result)}\n`),
  (line) => process.stderr.write(`${line}\n`),
);
