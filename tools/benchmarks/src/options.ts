import { Command, InvalidArgumentError } from 'commander';
import { hasPeers, type NetworkName, networks } from './networks.js';
import type { EngineChoice } from './tables/setting.js';

export const tables = ['speed', 'noise', 'growth', 'memory'] as const;
export type TableName = (typeof tables)[number];

export interface Options {
  tables: TableName[];
  networks: NetworkName[];
  engines: EngineChoice[];
  peers: ('pytorch' | 'tensorflow')[];
  rounds: number;
  seconds: number;
  steps: number;
  json?: boolean;
  out?: string;
}

/** Some of several names, with commas. */
function some<Name extends string>(names: readonly Name[]) {
  return (text: string): Name[] => {
    const chosen = text.split(',').filter((name) => name !== 'none') as Name[];
    if (chosen.every((name) => names.includes(name))) return chosen;
    throw new InvalidArgumentError(`Expected ${names.join(', ')} with commas between them.`);
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

function whole(text: string): number {
  const value = positive(text);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError('Expected a whole number.');
}

const allNetworks = Object.keys(networks) as NetworkName[];
const usual = allNetworks.filter(hasPeers);
const peers = ['pytorch', 'tensorflow'] as const;

/** The options of `npm run bench:train`. Commander ends the process for help and for what can't be read. */
export function parseOptions(args: readonly string[]): Options {
  const list = (names: readonly string[]) => names.join(',');
  return (
    new Command('bench:train')
      .description('images/s of training steps beside PyTorch and TensorFlow, what noise costs, and memory')
      .option('--tables <names>', `of ${list(tables)}`, some(tables), [...tables])
      .option(
        '--networks <names>',
        `of ${list(allNetworks)}; resnet20, which has no peers, for the cost of noise only`,
        some(allNetworks),
        usual,
      )
      .option('--engines <names>', 'of tensorflow,wasm', some(['tensorflow', 'wasm'] as const), [
        'tensorflow',
        'wasm',
      ])
      .option(
        '--peers <names>',
        `of ${list(peers)}, installed when first needed; none: neither`,
        some(peers),
        [...peers],
      )
      .option('--rounds <n>', 'turns of each', whole, 12)
      .option('--seconds <s>', 'length of a turn', positive, 2)
      .option(
        '--steps <n>',
        'steps before memory is read, and read again after ten times as many',
        whole,
        200,
      )
      .option('--json', 'print JSON')
      .option('--out <file>', 'write FILE.md and FILE.json, too')
      // pnpm hands on the -- that npm takes away
      .parse(args[0] === '--' ? args.slice(1) : args, { from: 'user' })
      .opts<Options>()
  );
}
