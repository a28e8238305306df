import { run } from './program.js';

let hasFailed = false;

// Nobody reads on, as in `sbp flops model.json | head -1`: no failure, and no reason for a run to end.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || hasFailed) return;
    hasFailed = true;
    process.stderr.write(`sbp: the output could not be written: ${error.message}\n`);
    // an error of the last write comes after the command
    process.exitCode ||= 1;
  });

process.exitCode = (await run(process.argv.slice(2))) || process.exitCode;
