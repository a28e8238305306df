import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { NetworkName } from './networks.js';
import type { Result } from './result.js';

/** Of one network; a few take a minute, and what takes longer than this does not end. */
const LIMIT = 20 * 60_000;

/**
 * Measures a network in a process of its own: WebAssembly's memory is free again afterwards, and one that is killed or hangs takes no other with it.
 *
 * @returns what was known when it ended
 */
export async function measureInProcess(name: NetworkName, say: (line: string) => void): Promise<Result> {
  const program = fileURLToPath(new URL('measure-network.js', import.meta.url));
  const child = spawn(process.execPath, [program, name], { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    // libraries say things, too
    if (line.startsWith(name)) say(line);
    if (/\b(Error|Exception|abort)/i.test(line)) last = line.trim();
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
  const ended = new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  let result: Result = { name };
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{')) result = JSON.parse(line) as Result;
  const end = await ended;
  clearTimeout(timer);
  return end === 0
    ? result
    : { ...result, died: `its process ended with ${[end, last].filter(Boolean).join(': ')}` };
}
