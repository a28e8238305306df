import { clockOf } from '../../measure/clocks.js';
import type { Runtime } from '../../measure/figures.js';
import { timedRuntimes } from '../../measure/runtime-names.js';
import type { TargetKind } from './kind.js';
import { type AtMost, type MetLatency, meetLatency } from './meet-latency.js';

/** How long a call may take on a runtime. */
export interface Latency {
  /** At most so many, or so much of what it takes as it is, by how fast the machine is at the time. */
  most: AtMost;
  runtime: Runtime;
  /** Examples in a call. */
  batchSize: number;
}

/** Channels that ONNX Runtime's convolutions compute at once (docs/bench/channels.md): multiples of it are tried beside any width. */
const BLOCK = 16;

/** Milliseconds on a runtime. */
export const latency: TargetKind<Latency> = {
  example:
    'latency=5ms@onnxruntime:1 (milliseconds of a call or, as 50%, a share of them; the runtime; examples in a call)',
  parse(text) {
    const [, amount, unit, runtime, batch = '1'] = /^([\d.]+)(ms|%)?@([a-z]+)(?::(\d+))?$/.exec(text) ?? [];
    const [value, batchSize] = [Number(amount), Number(batch)];
    const known = timedRuntimes.find((name) => name === runtime);
    if (!(value > 0 && batchSize > 0 && known) || (unit === '%' && value >= 100)) return undefined;
    const most = unit === '%' ? { share: value / 100 } : { milliseconds: value };
    return { most, runtime: known, batchSize };
  },
  words: ({ most, runtime, batchSize }) =>
    `${'share' in most ? `${Number((100 * most.share).toPrecision(6))}%` : `${most.milliseconds}ms`}@${runtime}:${batchSize}`,
  async steerTo({ most, runtime, batchSize }, noisy, { gather }) {
    const clock = clockOf(runtime, batchSize);
    const { model, target } = await meetLatency(noisy, most, clock, { gather });
    model.dispose();
    return target;
  },
  async cut({ most, runtime, batchSize }, trained, { criterion, roundTo, gather, errorOf }) {
    const clock = clockOf(runtime, batchSize);
    const several = !roundTo && errorOf && runtime === 'onnxruntime';
    const found: (MetLatency & { multiple: number; error: number })[] = [];
    for (const multiple of several ? [1, BLOCK] : [roundTo || 1]) {
      const met = await meetLatency(trained, most, clock, { criterion, gather, roundTo: multiple });
      found.push({ ...met, multiple, error: several ? await errorOf(met.model) : 0 });
    }
    const [best, ...others] = found.sort((a, b) => a.error - b.error) as [(typeof found)[number]];
    for (const { model } of others as typeof found) model.dispose();
    const { model, report, before, reached, multiple } = best;
    const widths = multiple > 1 ? `, widths at multiples of ${multiple}` : '';
    return {
      ...{ model, report },
      reached: `${before.toPrecision(3)} → ${reached.toPrecision(3)} ms on ${runtime}, batch ${batchSize}${widths}`,
    };
  },
};
