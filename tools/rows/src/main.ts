import { join } from 'node:path';
import { useEngine } from '@sbp/engine';
import { Argument, Command } from 'commander';
import { makeRow, rows } from './make-row.js';

const names = Object.keys(rows) as (keyof typeof rows)[];

const program = new Command('rows')
  .description('Makes data from a seed and a model trained on it, for sbp compress.')
  .addArgument(new Argument('<row>').choices(names))
  .argument('<folder>', 'what is made goes into a folder of the row inside of it')
  .option('--seed <number>', 'of data, first weights and training', Number, 0)
  .option('--engine <name>', 'see sbp engine', 'wasm')
  .action(async (name: keyof typeof rows, folder: string, { seed, engine }) => {
    const began = performance.now();
    await useEngine(engine);
    const row = rows[name];
    const { model, data, metrics } = await makeRow(row, join(folder, name), {
      seed,
      onEpoch: ({ epoch, loss, trainError, error }) =>
        console.log(
          `epoch ${epoch}: loss ${loss.toFixed(4)}, train ${trainError.toFixed(3)}, test ${error.toFixed(3)}`,
        ),
    });
    console.log(
      `test ${metrics.error.toFixed(3)} after ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
    console.log(['npx sbp compress', model, '--data', data, ...row.flags].join(' '));
  });

await program.parseAsync();
