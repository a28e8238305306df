import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, sep } from 'node:path';
import { root } from './workspace.js';

export interface Finished {
  /** undefined where it was killed. */
  code: number | undefined;
  stdout: string;
  /** The command and all that it printed, for the message of a failed test. */
  story: string;
}

/** Runs a program to its end, whatever that is. Killed after `seconds` (default 120). */
export function run(
  file: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; seconds?: number; shell?: boolean },
): Promise<Finished> {
  const { seconds = 120, ...rest } = options;
  return new Promise((resolve) => {
    const started = execFile(
      file,
      args,
      { ...rest, timeout: seconds * 1000, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
        const end =
          code === undefined ? `${error?.message.split('\n')[0]} (given ${seconds} s)` : `exit code ${code}`;
        resolve({ code, stdout, story: `${[file, ...args].join(' ')}\n${stdout}${stderr}${end}` });
      },
    );
    started.stdin?.end();
  });
}

const kept =
  /^(PATH|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|USER|SHELL|CI|LD_LIBRARY_PATH|.*_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_.*)$/i;
const keptAtHome = /^(XDG_.*|PNPM_HOME|COREPACK_HOME)$/;

/**
 * The environment of someone at a fresh prompt: what this process got from turbo, pnpm and vitest is left out, and
 * the workspace's own programs are not on the PATH.
 *
 * With a `home` of its own nothing from the real one is seen; of npm's configuration, that leaves what the machine sets.
 */
export function promptEnvironment(home = homedir()): NodeJS.ProcessEnv {
  const real = home === homedir();
  const pointsHome = (value = '') => value.startsWith(homedir() + sep);
  const variables = Object.entries(process.env).filter(([name, value]) => {
    // npm tells the scripts that it runs where they are; it would take that for where to install.
    if (name === 'npm_config_local_prefix') return false;
    return (kept.test(name) && (real || !pointsHome(value))) || (real && keptAtHome.test(name));
  });
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(root));
  return { ...Object.fromEntries(variables), PATH: path.join(delimiter), HOME: home };
}
