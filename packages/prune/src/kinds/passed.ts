import { type OpSpec, straight } from '../ops/op.js';
import type { Use } from './kind.js';

/** What most layers without weights are that keep groups apart: each output group from the input's of the same index, multipliers pass, and the layer is built again as it is. */
export function passed(use: Use, outAxis: number, others: Partial<OpSpec> = {}): OpSpec {
  return {
    ways: [straight(use.inputs[0]!.groups)],
    outShapes: use.outShapes,
    outAxis,
    cuttable: true,
    homogeneous: 'jointly',
    run: (xs) => use.run(xs),
    build: (xs) => use.apply(use.layer.getClassName(), use.config, xs),
    ...others,
  };
}
