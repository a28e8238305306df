import { Command, InvalidArgumentError } from 'commander';
import { type NetworkName, networks } from './networks.js';

export interface Options {
  only: NetworkName[];
  make?: boolean;
  json?: boolean;
  out?: string;
}

export const allNames = Object.keys(networks) as NetworkName[];

function names(text: string): NetworkName[] {
  return text.split(',').map((word) => {
    const name = allNames.find((known) => known.toLowerCase() === word.trim().toLowerCase());
    if (!name) throw new InvalidArgumentError(`There is no '${word}'; there are ${allNames.join(', ')}.`);
    return name;
  });
}

/** The options of `npm run zoo`. Commander ends the process for help and for what can't be read. */
export function parseOptions(args: readonly string[]): Options {
  return (
    new Command('zoo')
      .description('networks of keras.applications: opened, counted, exported, cut and timed')
      .option('--only <names>', 'networks, with commas between them', names, allNames)
      .option('--make', 'make their files in the cache folder, and no more')
      .option('--json', 'print JSON')
      .option('--out <file>', 'write FILE.md and FILE.json, too')
      // pnpm hands on the -- that npm takes away
      .parse(args[0] === '--' ? args.slice(1) : args, { from: 'user' })
      .opts<Options>()
  );
}
