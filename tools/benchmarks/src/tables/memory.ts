import { table } from '@sbp/bench';
import { networks } from '../networks.js';
import { type EngineChoice, type Setting, withJob } from './setting.js';

export interface MemoryRow {
  network: string;
  engine: EngineChoice;
  batch: number;
  /** Steps at the first and at the second look. */
  steps: [number, number];
  tensors?: [number, number];
  /** Resident bytes. */
  resident?: [number, number];
  reason?: string;
}

/** On wasm a small batch: what leaks does so by the step, and ten times as many of them take minutes there. */
const WASM_BATCH = 8;

/** As many samples as it lasts, roughly. */
const SAMPLES = 20;

export const memorySamples = ({ networks, engines }: Setting) => SAMPLES * networks.length * engines.length;

export async function measureMemory(setting: Setting): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = [];
  for (const name of setting.networks)
    for (const engine of setting.engines) {
      const { title, network } = networks[name];
      const batch = engine === 'wasm' ? WASM_BATCH : networks[name].batch;
      const steps: [number, number] = [setting.steps, 10 * setting.steps];
      const row: MemoryRow = { network: title, engine, batch, steps };
      await withJob(network, { batch, noise: true }, async (folder) => {
        try {
          const entrant = engine === 'wasm' ? 'ours-wasm-1' : 'ours-tensorflow';
          const [contestant] = await setting.field.open(entrant, folder, setting.seconds);
          const [first, last] = [
            await contestant.ask({ do: 'memory', steps: steps[0] }),
            await contestant.ask({ do: 'memory', steps: steps[1] }),
          ];
          row.tensors = [first.tensors, last.tensors];
          row.resident = [first.resident, last.resident];
        } catch (error) {
          row.reason = (error as Error).message;
        }
      });
      // each in a fresh process
      setting.field.clear();
      rows.push(row);
      setting.tick(`memory: ${title}, ${engine}`, SAMPLES);
    }
  return rows;
}

export function memoryMarkdown(rows: readonly MemoryRow[]): string {
  const [few, many] = rows[0]?.steps ?? [0, 0];
  const cells = rows.map(({ network, engine, batch, tensors, resident, reason }) => ({
    ...{ network, engine, batch, before: tensors?.[0], after: tensors?.[1], reason },
    ...(resident && {
      ...{ mbBefore: resident[0] / 1e6, mbAfter: resident[1] / 1e6, ratio: resident[1] / resident[0] },
    }),
  }));
  return `## Memory\n\nAfter ${few} and after ${many} steps of one run, past a garbage collection. Asked: as many tensors; at most 1.05 times the memory.\n\n${table(
    cells,
    [
      'network',
      'engine',
      'batch',
      { key: 'before', title: `tensors, ${few} steps`, missing: '—' },
      { key: 'after', title: `${many} steps`, missing: '—' },
      { key: 'mbBefore', title: `resident MB, ${few} steps`, digits: 0, missing: '—' },
      { key: 'mbAfter', title: `${many} steps`, digits: 0, missing: '—' },
      { key: 'ratio', digits: 3, missing: '—' },
      { key: 'reason', title: 'why not' },
    ],
  )}`;
}
