// `npm run quickstart`: gets a fresh clone to the table in one command.
import { prepare, run, seconds } from '../launch.mjs';

const began = performance.now();
// With --json standard output is for the result alone.
const out = process.argv.includes('--json') ? process.stderr : process.stdout;
await prepare(out);
const code = await run(
  process.execPath,
  ['packages/cli/bin/sbp.js', 'train', 'experiments/mnist-lenet5/quickstart.json', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
if (code === 0) out.write(`\n${seconds(began)} in all\n`);
process.exitCode = code;
