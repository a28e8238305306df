import { run } from './program.js';

/** What could not be written to standard output. */
let failed: NodeJS.ErrnoException | undefined;

// Nobody reads on, as in `sbp flops model.json | head -1`: no failure, and no reason for a run to end.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || failed) return;
    failed = error;
    process.stderr.write(`sbp: the output could not be written: ${error.message}\n`);
    process.exitCode = 1;
  });

const code = await run(process.argv.slice(2));
// an error of the last write comes after it
await new Promise((resolve) => process.stdout.write('', resolve));
process.exitCode = failed && code === 0 ? 1 : code;
