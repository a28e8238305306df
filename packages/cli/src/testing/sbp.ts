import { vi } from 'vitest';
import { run } from '../program.js';
import type { Ended } from './process.js';

/** Runs what `sbp` runs, in this process: quicker, as tfjs is here already. */
export async function sbp(cwd: string, ...args: string[]): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      output[name] += text;
      return true;
    }),
  );
  const before = process.cwd();
  process.chdir(cwd);
  try {
    const code = await run(args);
    return { code, signal: null, ...output };
  } finally {
    process.chdir(before);
    for (const spy of spies) spy.mockRestore();
  }
}
