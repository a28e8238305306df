import { type CostTarget, type Measure, pruneModel } from '@sbp/prune';
import type { TargetKind } from './kind.js';

/** So much of a measure that counts. */
export function costKind(measure: Measure, example: string): TargetKind<number> {
  const targetOf = (left: number) => ({ [measure]: left }) as unknown as CostTarget;
  return {
    example,
    parse: (text) => (Number(text) > 0 && Number.isFinite(Number(text)) ? Number(text) : undefined),
    words: String,
    async steerTo(left, noisy) {
      // a target out of reach is refused now, not after the training
      pruneModel(noisy, { target: targetOf(left) }).model.dispose();
      return targetOf(left);
    },
    async cut(left, trained, { criterion, roundTo }) {
      const target = targetOf(left);
      const { model, report } = pruneModel(trained, { target, criterion, roundTo: roundTo || 1 });
      return {
        model,
        report,
        reached: `${(100 * report.target!.reached).toFixed(1)} % of ${measure} are left`,
      };
    },
  };
}
