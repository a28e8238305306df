import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchError } from './errors.js';
import { roundOrder } from './interleave.js';
import type { OnnxEntry } from './onnx-entry.js';
import { feedsFor, loadOnnxRuntime, openSession } from './onnx-session.js';
import { type Spread, spread } from './spread.js';

export interface OnnxLayerOptions {
  /** Examples in a call. Default 100. */
  batchSize?: number;
  /** Measured calls of each model. Default 50. */
  repeats?: number;
}

export interface LayerTiming {
  /** The entry's name. */
  name: string;
  /** A layer's name, or 'all', the sum of them. */
  layer: string;
  /** Milliseconds of one call. */
  milliseconds: Spread;
  /** The first entry's time for the layer of this name, in the same round, over this one's; absent where it has none. */
  speedup?: Spread;
}

const warmUps = 5;

/**
 * Where ONNX Runtime spends its time, layer by layer, by its own profiler: one thread of the CPU, entries taking turns. Nodes are taken for a
 * layer's by their names, `layer/Operation`, as `exportOnnx` of @sbp/onnx gives them; those that the runtime adds itself, to lay
 * numbers out for its kernels, count to the layer before them.
 *
 * @returns the rows of one entry after the other, layers in the order in which they run and 'all' behind them
 * @throws as `timeOnnx` does
 */
export async function timeOnnxLayers(
  entries: readonly OnnxEntry[],
  { batchSize = 100, repeats = 50 }: OnnxLayerOptions = {},
): Promise<LayerTiming[]> {
  const runtime = await loadOnnxRuntime();
  const folder = await mkdtemp(join(tmpdir(), 'sbp-bench-'));
  try {
    const sessions = await Promise.all(
      entries.map((entry, i) =>
        openSession(runtime, entry, { enableProfiling: true, profileFilePrefix: join(folder, `${i}`) }),
      ),
    );
    const feeds = sessions.map((session, i) => feedsFor(runtime, session, entries[i]!.name, batchSize));
    for (let round = -warmUps; round < repeats; round++) {
      for (const i of roundOrder(entries.length, Math.max(round, 0))) await sessions[i]!.run(feeds[i]!);
    }
    for (const session of sessions) session.endProfiling();
    await Promise.all(sessions.map((session) => session.release()));
    const profiles = await Promise.all(entries.map((_, i) => readProfile(folder, `${i}`)));
    const first = profiles[0];
    return entries.flatMap(({ name }, i) =>
      [...profiles[i]!].map(([layer, samples]) => {
        const base = first?.get(layer);
        return {
          name,
          layer,
          milliseconds: spread(samples),
          ...(base && { speedup: spread(samples.map((time, round) => base[round]! / time)) }),
        };
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  cat: string;
  name: string;
  /** Microseconds. */
  dur: number;
}

/** Milliseconds of each layer in each call, the warm-up left out. */
async function readProfile(folder: string, prefix: string): Promise<Map<string, number[]>> {
  const file = (await readdir(folder)).find((name) => name.startsWith(`${prefix}_`));
  if (!file) throw new BenchError(`ONNX Runtime left no profile in ${folder}`);
  const events: ProfileEvent[] = JSON.parse(await readFile(join(folder, file), 'utf8'));
  const calls: Map<string, number>[] = [];
  let call = new Map<string, number>();
  let layer = '';
  for (const { cat, name, dur } of events) {
    // A call's own event comes behind those of its nodes.
    if (cat === 'Session' && name === 'model_run') {
      calls.push(call);
      call = new Map();
    }
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    layer = layerOf(name) ?? layer;
    call.set(layer, (call.get(layer) ?? 0) + dur / 1000);
  }
  const measured = calls.slice(warmUps);
  const layers = [...(measured[0]?.keys() ?? [])];
  const samples = layers.map((key) => [key, measured.map((each) => each.get(key)!)] as const);
  const all = measured.map((each) => [...each.values()].reduce((sum, time) => sum + time, 0));
  return new Map([...samples, ['all', all]]);
}

/** The layer in a node's name; the runtime writes `fused conv1/Conv_kernel_time` and the like. */
function layerOf(name: string): string | undefined {
  const end = name.lastIndexOf('/');
  return end < 0 ? undefined : name.slice(0, end).replace(/^fused /, '');
}
