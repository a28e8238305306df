// `npm run quickstart`: gets a fresh clone to the table in one command. Node's own modules only, as nothing is installed yet.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const began = performance.now();
// With --json standard output is for the result alone.
const out = process.argv.includes('--json') ? process.stderr : process.stdout;
const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

// Ctrl-C reaches the whole foreground group: the command that runs says what was stopped, and ends.
process.on('SIGINT', () => {});

/** Resolves to the exit code, as a shell gives it. */
function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, ...options });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => options.onOutput(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

/** One step whose output matters only when it fails. */
async function step(title, script, args = []) {
  out.write(`${title} … `);
  const from = performance.now();
  const output = [];
  const code = await run('npm', ['run', '--silent', script, ...args], {
    // npm is npm.cmd on Windows
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
    onOutput: (chunk) => output.push(chunk),
  });
  out.write(code === 0 ? `${seconds(from)}\n` : `failed after ${seconds(from)}\n`);
  if (code === 0) return;
  process.stderr.write(`${Buffer.concat(output).toString().trim()}\n`);
  process.exit(code);
}

await step('Installing packages', 'setup');
await step('Building sbp', 'build', ['--', '--filter=@sbp/cli...']);
const code = await run(
  process.execPath,
  ['packages/cli/bin/sbp.js', 'train', 'experiments/mnist-lenet5/quickstart.json', ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
if (code === 0) out.write(`\n${seconds(began)} in all\n`);
process.exitCode = code;
