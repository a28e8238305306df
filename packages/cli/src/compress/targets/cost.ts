import { type CostTarget, type Measure, pruneModel } from '@sbp/prune';
import type { TargetKind } from './kind.js';

/** So much of a measure that counts. */
export function costKind(measure: Measure, example: string): TargetKind<number> {
  const targetOf = (left: number) => ({ [measure]: left }) as unknown as CostTarget;
  return {
    example,
    parse: (text) => (Number(text) > 0 && Number.isFinite(Number(text)) ? Number(text) : undefined),
    words: String,
    partly(left, way, { macs, params }) {
      const before = { macs, params, bytes: 4 * params }[measure];
      const share = left > 1 ? left / before : left;
      return before * Math.min(1, share) ** way;
    },
    async steerTo(left, noisy, { gather }) {
      // a target out of reach is refused now, not after the training
      pruneModel(noisy, { target: targetOf(left), gather }).model.dispose();
      return targetOf(left);
    },
    async cut(left, trained, { criterion, roundTo, gather }) {
      const target = targetOf(left);
      return pruneModel(trained, { target, criterion, gather, roundTo: roundTo || 1 });
    },
  };
}
