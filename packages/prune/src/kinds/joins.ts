import { type OpSpec, type Shape, straight, type Value, type Way, whole } from '../ops/op.js';
import type { Kind } from './kind.js';
import { passed } from './passed.js';
import { passedWhole } from './whole.js';

/** Joins element by element, in which sizes of 1 are repeated and shorter shapes stand at the end. */
const elementwise =
  (traits: Pick<OpSpec, 'homogeneous' | 'absorbs0'>): Kind =>
  (use) => {
    const [outShape] = use.outShapes as [Shape];
    const rank = outShape.length;
    const aligned = ({ axis, shape }: Value) => axis + rank - shape.length;
    // what is there once for all says nothing of where the groups are
    const leading = use.inputs.find(({ groups }) => groups > 1) ?? use.inputs[0]!;
    const outAxis = aligned(leading);
    const groups = outShape[outAxis]!;
    const wayOf = (value: Value): Way => {
      const own = value.shape[outAxis - rank + value.shape.length] ?? 1;
      if (own === 1 && groups > 1) {
        // its own groups lie along another axis, or there is but one
        return value.groups === 1 ? { kind: 'spread' } : whole('it joins groups along different axes');
      }
      return aligned(value) === outAxis ? straight(groups) : whole('it joins groups along different axes');
    };
    const ways = use.inputs.map(wayOf);
    // what lies otherwise can't be cut along with the others, unless it is repeated along their axis
    const isFixed = (value: Value, k: number) =>
      ways[k]!.kind === 'whole' && (value.shape[outAxis - rank + value.shape.length] ?? 1) > 1;
    const cuttable = ways.some(({ kind }) => kind === 'passed') && !use.inputs.some(isFixed);
    return [passed(use, outAxis, { ways, cuttable, homogeneous: undefined, ...traits })];
  };

const additive = elementwise({ homogeneous: 'jointly' });

const concatenate: Kind = (use) => {
  const [outShape] = use.outShapes as [Shape];
  const given = Number(use.config.axis);
  const along = given < 0 ? outShape.length + given : given - 1;
  const axes = new Set(use.inputs.map(({ axis }) => axis));
  const first = use.inputs[0]!.axis;
  if (axes.size > 1) return passedWhole('it joins groups along different axes')(use);
  let start = 0;
  const ways = use.inputs.map(({ groups }): Way => {
    if (along !== first) return straight(groups);
    const from = new Int32Array(outShape[along]!).fill(-1);
    for (let i = 0; i < groups; i++) from[start + i] = i;
    start += groups;
    return { kind: 'passed', from };
  });
  return [passed(use, first, { ways })];
};

/** Layers that join tensors. */
export const joinKinds: Readonly<Record<string, Kind>> = {
  Add: additive,
  Subtract: additive,
  Average: additive,
  Maximum: additive,
  Minimum: additive,
  Multiply: elementwise({ homogeneous: 'singly', absorbs0: true }),
  Divide: elementwise({}),
  Concatenate: concatenate,
};
