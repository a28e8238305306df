// `npm run table:mnist`: both MNIST tables of the paper, from nothing. What is there already is not run again.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { prepare, run, seconds } from './launch.mjs';

const usage =
  'npm run table:mnist -- [--budget short|full]   (default: full, which takes hours; short: minutes)';
const experiments = ['mnist-lenet-fc', 'mnist-lenet5'];

function readBudget() {
  try {
    const { values } = parseArgs({ options: { budget: { type: 'string', default: 'full' } } });
    if (['short', 'full'].includes(values.budget)) return values.budget;
    throw new Error(`--budget is '${values.budget}'; expected short or full`);
  } catch ({ message }) {
    process.stderr.write(`table:mnist: ${message}; ${usage}\n`);
    process.exit(2);
  }
}

const budget = readBudget();
const began = performance.now();
await prepare(process.stdout);
const filters = experiments.map((name) => `--filter=@sbp/experiment-${name}`);
const code = await run('npm', ['run', '--silent', 'table', '--', ...filters], {
  stdio: 'inherit',
  env: { SBP_BUDGET: budget },
});
if (code === 0) {
  const mark = budget === 'short' ? '-short' : '';
  for (const name of experiments) {
    const table = new URL(`${name}/results/table${mark}.md`, import.meta.url);
    process.stdout.write(`\n${readFileSync(table, 'utf8')}`);
  }
  process.stdout.write(`\nIn experiments/*/results; ${seconds(began)} in all\n`);
}
process.exitCode = code;
