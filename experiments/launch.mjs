// What starts experiments on a fresh clone. Node's own modules only, as nothing is installed yet.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

/** Resolves to the exit code, as a shell gives it. */
export function run(command, args, { env, onOutput, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      // npm is npm.cmd on Windows
      shell: command === 'npm' && process.platform === 'win32',
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', ...env },
      ...options,
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => onOutput(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

/** One step whose output matters only when it fails, which ends the process. */
async function step(out, title, script, args = []) {
  out.write(`${title} … `);
  const from = performance.now();
  const output = [];
  const code = await run('npm', ['run', '--silent', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    onOutput: (chunk) => output.push(chunk),
  });
  out.write(code === 0 ? `${seconds(from)}\n` : `failed after ${seconds(from)}\n`);
  if (code === 0) return;
  process.stderr.write(`${Buffer.concat(output).toString().trim()}\n`);
  process.exit(code);
}

/** Installs the workspace and builds the `sbp` command. @param out where progress goes */
export async function prepare(out) {
  // Ctrl-C reaches the whole foreground group: the command that runs says what was stopped, and ends.
  process.on('SIGINT', () => {});
  await step(out, 'Installing packages', 'setup');
  await step(out, 'Building sbp', 'build', ['--', '--filter=@sbp/cli...']);
}
